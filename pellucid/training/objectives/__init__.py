"""What a network learns for: reference answers, or a lesson that the data teach by themselves."""
from pellucid.training.objectives.base import AbstractObjective, Assessment, Prepared
from pellucid.training.objectives.blended import Blended
from pellucid.training.objectives.contrastive import Contrastive
from pellucid.training.objectives.contrastive_divergence import ContrastiveDivergence
from pellucid.training.objectives.density import Density
from pellucid.training.objectives.every_node import EveryNode
from pellucid.training.objectives.evidence_bound import EvidenceBound
from pellucid.training.objectives.few_labels import FewLabels
from pellucid.training.objectives.identities import Identities
from pellucid.training.objectives.masked import Masked
from pellucid.training.objectives.ratings import HiddenRatings, Lists
from pellucid.training.objectives.reconstruction import Reconstruction
from pellucid.training.objectives.relativistic import RelativisticPairing
from pellucid.training.objectives.supervised import Supervised, plain
from pellucid.training.objectives.views import Views

__all__ = [
    "AbstractObjective", "Assessment", "Blended", "Contrastive", "ContrastiveDivergence", "Density", "EveryNode",
    "EvidenceBound", "FewLabels", "HiddenRatings", "Identities", "Lists", "Masked", "Prepared", "Reconstruction",
    "RelativisticPairing", "Supervised", "Views", "plain",
]
