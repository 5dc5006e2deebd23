"""How far to trust a prediction: calibrated confidence, sets and intervals that keep a stated coverage."""
from pellucid.uncertainty.abstention import Abstention
from pellucid.uncertainty.calibration import (
    Reliability,
    brier_score,
    calibration_error,
    debiased_calibration_error,
    reliability,
    share_interval,
)
from pellucid.uncertainty.calibrator import Calibrator, choose_calibrator, fit_calibrator
from pellucid.uncertainty.conformal import ClassConformal, NumberConformal, check_coverage, class_scores
from pellucid.uncertainty.spread import LearnedSpread, choose_spread
from pellucid.uncertainty.strangeness import Strangeness, choose_strangeness
from pellucid.uncertainty.temperature import fit_temperature, log_softmax, temper

__all__ = [
    "Abstention", "Calibrator", "ClassConformal", "LearnedSpread", "NumberConformal", "Reliability", "Strangeness",
    "brier_score", "calibration_error", "check_coverage", "choose_calibrator", "choose_spread", "choose_strangeness",
    "class_scores", "debiased_calibration_error", "fit_calibrator", "fit_temperature", "log_softmax", "reliability",
    "share_interval", "temper",
]
