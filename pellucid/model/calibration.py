"""How outputs become honest answers: temperature, conformal sets and intervals, the rule of decision."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.uncertainty.conformal import ClassConformal, NumberConformal
from pellucid.uncertainty.temperature import fit_temperature, temper


@dataclass(frozen=True, eq=False)
class Calibration:
    """Fitted on held-out rows only: each row is judged by the networks that did not learn from it.

    Args:
        folds: for each member, the number of the fold that it left out.
        temperature: by which logits are divided; 1 for numbers.
        conformal: the scores behind sets or intervals; `None` when no row was held out.
        coverage: promised unless another is asked for.
    """

    folds: tuple[int, ...]
    temperature: float = 1.0
    conformal: ClassConformal | NumberConformal | None = None
    coverage: float = 0.9

    def by_fold(self, outputs: np.ndarray) -> np.ndarray:
        """Mean over the members that left out the same fold: (members, …) to (folds, …)."""
        folds = np.array(self.folds)
        return np.stack([outputs[folds == fold].mean(axis=0) for fold in range(int(folds.max()) + 1)])

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"folds": list(self.folds), "temperature": self.temperature, "coverage": self.coverage,
                "conformal": None if self.conformal is None else self.conformal.to_json()}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Calibration:
        """What `to_json` wrote."""
        conformal = record["conformal"]
        if conformal is not None:
            kind = ClassConformal if conformal["kind"] == "classes" else NumberConformal
            conformal = kind.from_json(conformal)
        return cls(tuple(record["folds"]), float(record["temperature"]), conformal, float(record["coverage"]))


def two_columns(logits: np.ndarray) -> np.ndarray:
    """Logits (…, classes); a single logit is that of the second of two classes."""
    if logits.shape[-1] > 1:
        return logits
    return np.concatenate([np.zeros_like(logits), logits], axis=-1)


def left_out(outputs: np.ndarray, folds: tuple[int, ...], row_folds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each row's outputs from the members that left it out.

    Args:
        outputs: (members, rows, …).
        folds: the fold that each member left out.
        row_folds: (rows,) the fold of each row.

    Returns:
        The numbers of the rows that some member left out, and (those rows, …) the mean of these members.
    """
    member_folds = np.array(folds)
    judged = np.flatnonzero(np.isin(row_folds, member_folds))
    answers = np.empty((len(judged), *outputs.shape[2:]), np.float64)
    for fold in np.unique(member_folds):
        here = row_folds[judged] == fold
        answers[here] = outputs[member_folds == fold][:, judged[here]].mean(axis=0)
    return judged, answers


def calibrate_classes(logits: np.ndarray, labels: np.ndarray, folds: tuple[int, ...], row_folds: np.ndarray, *,
                      weight: np.ndarray | None = None, coverage: float = 0.9) -> Calibration:
    """Fit temperature and prediction sets on the logits (members, rows, classes) of the training rows."""
    judged, held_out = left_out(logits, folds, row_folds)
    if not len(judged):
        return Calibration(folds, coverage=coverage)
    weight = None if weight is None else weight[judged]
    temperature = fit_temperature(held_out, labels[judged], weight)
    conformal = ClassConformal.fit(temper(held_out, temperature), labels[judged], row_folds[judged],
                                   max(folds) + 1)
    return Calibration(folds, temperature, conformal, coverage)


def calibrate_numbers(predictions: np.ndarray, truth: np.ndarray, folds: tuple[int, ...], row_folds: np.ndarray, *,
                      coverage: float = 0.9) -> Calibration:
    """Fit prediction intervals on the predictions (members, rows), in the target's units."""
    judged, held_out = left_out(predictions, folds, row_folds)
    if not len(judged):
        return Calibration(folds, coverage=coverage)
    conformal = NumberConformal.fit(truth[judged] - held_out, row_folds[judged], max(folds) + 1)
    return Calibration(folds, 1.0, conformal, coverage)
