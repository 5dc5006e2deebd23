"""scikit-learn estimators: `Classifier` and `Regressor`."""
from pellucid.estimators.classifier import Classifier
from pellucid.estimators.regressor import Regressor

__all__ = ["Classifier", "Regressor"]
