"""What a network learns for: reference answers, or a lesson that the data teach by themselves."""
from pellucid.training.objectives.base import AbstractObjective, Assessment, Prepared
from pellucid.training.objectives.supervised import Supervised, plain

__all__ = ["AbstractObjective", "Assessment", "Prepared", "Supervised", "plain"]
