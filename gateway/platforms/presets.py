"""What is known of platforms in the field: settings to start a connection with, each with its source (presets.toml)."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("presets.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """One platform or one style. Nothing of it was tried against the real platform."""

    name: str
    title: str
    note_fr: str
    note_en: str
    needs: tuple[str, ...]
    """Settings that only the customer of the platform can know."""

    settings: Mapping[str, Any]
    why: Mapping[str, str]
    """For each setting: `described`, `observed` or `assumed`, a colon, the source."""


@cache
def presets() -> Mapping[str, Preset]:
    """Every preset, by name."""
    entries = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return {name: Preset(name=name, title=entry["title"], note_fr=entry["note_fr"], note_en=entry["note_en"],
                         needs=tuple(entry["needs"]), settings=entry.get("settings", {}), why=entry.get("why", {}))
            for name, entry in entries.items()}


def completed(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The preset's settings under those that are given; headers of both are joined. Raises KeyError: no such preset."""
    settings = presets()[name].settings
    headers = {**settings.get("extra_headers", {}), **(given.get("extra_headers") or {})}
    said = {key: value for key, value in given.items() if value is not None}
    return {**settings, **said, **({"extra_headers": headers} if headers else {})}
