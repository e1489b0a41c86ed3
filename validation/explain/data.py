"""The words of explanations, as data: the TOML files of this package, each read once.

Loads nothing else, so that the service may quote one where it has no worker to ask.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any


@cache
def data(name: str) -> Mapping[str, Any]:
    """One of the data files of this package."""
    return tomllib.loads(resources.files("validation.explain").joinpath(name).read_text("utf-8"))
