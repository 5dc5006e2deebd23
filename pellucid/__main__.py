"""`python -m pellucid` does what `pellucid` does."""
from pellucid.cli.dispatch import run

if __name__ == "__main__":
    run()
