"""Raw columns: each kind's encoder, training and plain view, by the name of its feature type."""
from pellucid.core.registry import Registry
from pellucid.tasks.raw.audio import AUDIO
from pellucid.tasks.raw.base import COMMON, RawKind, Situation
from pellucid.tasks.raw.image import IMAGE
from pellucid.tasks.raw.molecule import MOLECULE
from pellucid.tasks.raw.molecule_3d import MOLECULE_3D
from pellucid.tasks.raw.series import SERIES
from pellucid.tasks.raw.text import TEXT
from pellucid.tasks.raw.tree import TREE
from pellucid.tasks.raw.video import VIDEO

raw_kinds: Registry[RawKind] = Registry("raw feature type")
raw_kinds.add("text", TEXT)
raw_kinds.add("image", IMAGE)
raw_kinds.add("audio", AUDIO)
raw_kinds.add("series", SERIES)
raw_kinds.add("molecule", MOLECULE)
raw_kinds.add("molecule_3d", MOLECULE_3D)
raw_kinds.add("video", VIDEO)
raw_kinds.add("tree", TREE)

__all__ = ["COMMON", "RawKind", "Situation", "raw_kinds"]
