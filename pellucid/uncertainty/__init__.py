"""How far to trust a prediction: calibrated confidence, sets and intervals that keep a stated coverage."""
from pellucid.uncertainty.calibration import (
    Reliability,
    brier_score,
    calibration_error,
    debiased_calibration_error,
    reliability,
    share_interval,
)
from pellucid.uncertainty.conformal import ClassConformal, NumberConformal, check_coverage, class_scores
from pellucid.uncertainty.temperature import fit_temperature, log_softmax, temper

__all__ = [
    "ClassConformal", "NumberConformal", "Reliability", "brier_score", "calibration_error", "check_coverage",
    "class_scores", "debiased_calibration_error", "fit_temperature", "log_softmax", "reliability", "share_interval",
    "temper",
]
