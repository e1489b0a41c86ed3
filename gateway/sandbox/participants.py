"""Who is in the sandbox's directory, with which addressing lines, and how each behaves."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.sandbox.script import SCRIPTS

DEFAULTS = Path(__file__).with_name("participants.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressingLine:
    """One line of the directory."""

    identifier: str
    """What BT-49 says with scheme 0225."""

    status: str = "Enabled"
    """Enabled, Disabled or Upcoming."""

    platform: str = "WK"
    siret: str | None = None
    routing_identifier: str | None = None
    routing_name: str | None = None
    suffix: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """One legal unit of the directory."""

    siren: str
    name: str
    behaviour: str
    lines: tuple[AddressingLine, ...]
    public: bool = False


@dataclass(frozen=True, slots=True)
class Participants:
    """The directory as a whole."""

    members: tuple[Participant, ...]

    def by_siren(self, siren: str) -> Participant | None:
        """The legal unit with this SIREN, if known."""
        return next((member for member in self.members if member.siren == siren), None)

    def of_address(self, identifier: str) -> tuple[Participant, AddressingLine] | None:
        """The line with exactly this identifier and who owns it, if known."""
        return next(((member, line) for member in self.members for line in member.lines
                     if line.identifier == identifier), None)


def load_participants(folder: Path) -> Participants:
    """`participants.toml` in `folder`, else the built-in one.

    Raises:
        ValueError: a behaviour that is in no script, or a field that is unknown; the text names it.
    """
    own = folder / "participants.toml"
    path = own if own.exists() else DEFAULTS
    entries = tomllib.loads(path.read_text(encoding="utf-8")).get("participants", [])
    try:
        return Participants(tuple(_participant(entry) for entry in entries))
    except (TypeError, KeyError) as error:
        raise ValueError(f"{path}: {error}") from error


def _participant(entry: Mapping[str, Any]) -> Participant:
    lines = entry.get("lines") or [{"identifier": entry["siren"]}]
    behaviour = entry.get("behaviour", "approve")
    if behaviour not in SCRIPTS:
        raise ValueError(f"{entry['siren']}: behaviour {behaviour!r} is none of {', '.join(SCRIPTS)}")
    fields = {**entry, "behaviour": behaviour, "lines": tuple(AddressingLine(**line) for line in lines)}
    return Participant(**fields)
