"""The engine: programs, the compiled loop, checkpoints, early stopping, cost and diagnosis."""
from __future__ import annotations

from pellucid.training.callbacks import TensorBoard
from pellucid.training.engine import Outcome, Watch, run
from pellucid.training.fit import Fit, fit, predict
from pellucid.training.history import Epoch, History
from pellucid.training.layerwise import LayerwiseFit, pretrain_layers
from pellucid.training.plan import Plan

__all__ = [
    "Epoch", "Fit", "History", "LayerwiseFit", "Outcome", "Plan", "TensorBoard", "Watch", "fit", "predict",
    "pretrain_layers", "run",
]
