"""Raw columns: each kind's encoder, training and plain view, by the name of its feature type."""
from pellucid.core.registry import Registry
from pellucid.tasks.raw.base import COMMON, RawKind, Situation
from pellucid.tasks.raw.text import TEXT

raw_kinds: Registry[RawKind] = Registry("raw feature type")
raw_kinds.add("text", TEXT)

__all__ = ["COMMON", "RawKind", "Situation", "raw_kinds"]
