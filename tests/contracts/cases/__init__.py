"""The networks that the shared contract tests check: each module here has a table `CASES` of name: (maker, inputs).

A maker takes a key and gives a network; the inputs hold `ROWS` rows.
"""
import importlib
import pkgutil

ROWS, OUT = 6, 3


def all_cases():
    """Every case of every family, by name."""
    found = {}
    for module in sorted(info.name for info in pkgutil.iter_modules(__path__)):
        cases = importlib.import_module(f"{__name__}.{module}").CASES
        if both := found.keys() & cases.keys():
            raise ValueError(f"two cases are called {sorted(both)}")
        found |= cases
    return found
