"""Names that users type, each standing for one thing."""
from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

from pellucid.errors import SettingsError, did_you_mean

Entry = TypeVar("Entry")


class Registry(Mapping[str, Entry], Generic[Entry]):
    """A mapping from names to entries that answers an unknown name with the nearest known ones.

    Args:
        noun: what an entry is called in error messages, such as `"activation"`.
        aliases: other spellings, each naming an entry.

    Example:
        >>> colours = Registry("colour", aliases={"gray": "grey"})
        >>> colours.add("grey", 0.5)
        0.5
        >>> colours["gray"]
        0.5
    """

    def __init__(self, noun: str, aliases: Mapping[str, str] | None = None) -> None:
        self.noun = noun
        self.aliases = dict(aliases or {})
        self._entries: dict[str, Entry] = {}

    def add(self, name: str, entry: Entry) -> Entry:
        """Register `entry` under `name`, once."""
        if name in self._entries:
            raise SettingsError(f"The {self.noun} `{name}` is registered already.", "choose another name")
        self._entries[name] = entry
        return entry

    def canonical(self, name: str) -> str:
        """The registered name for `name`, which may be an alias or use spaces or hyphens."""
        spelled = str(name).strip().lower().replace(" ", "_").replace("-", "_")
        spelled = self.aliases.get(spelled, spelled)
        if spelled not in self._entries:
            raise SettingsError(f"Unknown {self.noun} `{name}`.", did_you_mean(spelled, self._entries))
        return spelled

    def __getitem__(self, name: str) -> Entry:
        return self._entries[self.canonical(name)]

    def get(self, name: str, default: Entry | None = None) -> Entry | None:
        """The entry of `name`, or `default` when there is none."""
        return self[name] if name in self else default  # noqa: SIM401 - Mapping.get expects a KeyError

    def __contains__(self, name: object) -> bool:
        try:
            return bool(self.canonical(str(name)))
        except SettingsError:
            return False

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)
