"""Trials with identities that were never learned: some are enrolled, the others are strangers at the door."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pellucid.model.verifier import likeness

DRAWS = 20
PARTS = ("genuine", "impostor", "own", "right", "strange")
ENROLLED = 5
"""Examples of each identity that are enrolled in a trial; half of them where there are fewer than ten."""


@dataclass(frozen=True, eq=False)
class Trials:
    """What was measured.

    Args:
        genuine: likeness of examples to their own identity.
        impostor: likeness of examples to other identities.
        own: (probes,) for examples of enrolled identities: their best likeness.
        right: (probes,) whether the best was their own.
        strange: best likeness of examples of strangers.
        enrolled: how many identities were enrolled.
    """

    genuine: np.ndarray
    impostor: np.ndarray
    own: np.ndarray
    right: np.ndarray
    strange: np.ndarray
    enrolled: int

    @property
    def equal_error_rate(self) -> float:
        """The error rate at the threshold where as many are refused wrongly as let through wrongly."""
        levels = np.unique(np.concatenate([self.genuine, self.impostor]))
        refused = np.searchsorted(np.sort(self.genuine), levels, side="left") / len(self.genuine)
        let_in = 1 - np.searchsorted(np.sort(self.impostor), levels, side="left") / len(self.impostor)
        place = int(np.argmin(np.abs(refused - let_in)))
        return float((refused[place] + let_in[place]) / 2)

    def threshold(self, false_accepts: float) -> float:
        """The likeness that a stranger reaches with at most this share, by the strangers seen."""
        count = len(self.strange)
        place = int(np.ceil((1 - false_accepts) * (count + 1))) - 1
        return float(np.sort(self.strange)[min(place, count - 1)]) + 1e-9

    def metrics(self, false_accepts: float, threshold: float | None = None) -> dict[str, float]:
        """Rates at a threshold, by default the one where strangers are let through at the stated rate."""
        level = self.threshold(false_accepts) if threshold is None else threshold
        return {"equal_error_rate": self.equal_error_rate,
                "identification_rate": float(np.mean(self.right & (self.own >= level))),
                "rank_one": float(self.right.mean()), "false_accept_rate": float(np.mean(self.strange >= level))}


def run_trials(vectors: np.ndarray, identities: np.ndarray, *, seed: int, draws: int = DRAWS) -> Trials | None:
    """Draw half of the identities to enrol, again and again, and ask about everything else.

    Args:
        vectors: (examples, features) of length 1.
        identities: (examples,) integers, none of which was learned.
        seed: of the draws.
        draws: how often.

    Returns:
        What was measured; `None` with fewer than two identities of two examples, or no stranger.
    """
    random = np.random.default_rng(seed)
    everyone = np.unique(identities)
    able = np.array([one for one in everyone if np.count_nonzero(identities == one) > 1])
    if len(able) < 2 or len(everyone) < 3:
        return None
    found: dict[str, list[np.ndarray]] = {name: [] for name in PARTS}
    for _ in range(draws):
        chosen = random.permutation(able)[:max(min(len(everyone) // 2, len(able)), 1)]
        kept, asked, whose = [], [], []
        for number, one in enumerate(chosen):
            rows = random.permutation(np.flatnonzero(identities == one))
            count = min(ENROLLED, len(rows) // 2)
            kept += [(row, number) for row in rows[:count]]
            asked += list(rows[count:])
            whose += [number] * (len(rows) - count)
        strangers = np.flatnonzero(~np.isin(identities, chosen))
        examples, owner = (np.array(part) for part in zip(*kept, strict=True))
        own = likeness(vectors[asked], vectors[examples], owner, len(chosen))
        others = likeness(vectors[strangers], vectors[examples], owner, len(chosen))
        whose = np.array(whose)
        mine = np.arange(len(chosen))[None] == whose[:, None]
        found["genuine"].append(own[mine])
        found["impostor"].append(np.concatenate([own[~mine], others.ravel()]))
        found["own"].append(own.max(axis=1))
        found["right"].append(own.argmax(axis=1) == whose)
        found["strange"].append(others.max(axis=1))
    return Trials(**{name: np.concatenate(parts) for name, parts in found.items()}, enrolled=len(chosen))


def joined(several: Sequence[Trials]) -> Trials:
    """All of them as one."""
    return Trials(**{name: np.concatenate([getattr(one, name) for one in several]) for name in PARTS},
                  enrolled=several[0].enrolled)
