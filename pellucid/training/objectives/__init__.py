"""What a network learns for: reference answers, or a lesson that the data teach by themselves."""
from pellucid.training.objectives.base import AbstractObjective, Assessment, Prepared
from pellucid.training.objectives.contrastive_divergence import ContrastiveDivergence
from pellucid.training.objectives.evidence_bound import EvidenceBound
from pellucid.training.objectives.reconstruction import Reconstruction
from pellucid.training.objectives.relativistic import RelativisticPairing
from pellucid.training.objectives.supervised import Supervised, plain

__all__ = [
    "AbstractObjective", "Assessment", "ContrastiveDivergence", "EvidenceBound", "Prepared", "Reconstruction", "RelativisticPairing",
    "Supervised", "plain",
]
