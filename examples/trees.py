"""Tell the mood of made-up sentences from their parse trees, one a line, with a label at every phrase.

    python examples/trees.py
"""
import tempfile
from pathlib import Path

import numpy as np

import pellucid

SENTENCES, SEED = 600, 0
random = np.random.default_rng(SEED)
GOOD, BAD, FILLERS = ("good", "fine", "moving"), ("bad", "dull", "clumsy"), ("the", "film", "plot", "was", "of")


def phrase(leaves: int) -> tuple[int, str]:
    """The mood of a phrase (-1, 0 or 1) and its tree; "not" turns what follows into its opposite."""
    if leaves == 1:
        words, mood = ((GOOD, 1), (BAD, -1), (FILLERS, 0))[random.choice(3, p=(0.3, 0.3, 0.4))]
        return mood, f"({mood + 1} {random.choice(words)})"
    if leaves > 2 and random.random() < 0.4:
        mood, tree = phrase(leaves - 1)
        return -mood, f"({-mood + 1} (1 not) {tree})"
    (left, first), (right, second) = phrase(leaves // 2), phrase(leaves - leaves // 2)
    mood = int(np.sign(left + right))
    return mood, f"({mood + 1} {first} {second})"


with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "trees.txt"
    path.write_text("\n".join(phrase(int(random.integers(3, 10)))[1] for _ in range(SENTENCES)))
    run = pellucid.train(path, run=Path(folder) / "run", epochs=15, members=1)
print(run)

asked = ["(2 (0 bad) (1 film))", "(? (? not) (? (? bad) (? film)))", "(? (? not) (? good)"]
found = run.model.predict({"tree": asked})
print(found.to_frame())
for note in found.notes:
    print("note:", note.message)
