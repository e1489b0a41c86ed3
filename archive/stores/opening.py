"""A store by its address. Only the library of the kind that is asked for is loaded."""

import importlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

from archive.errors import StoreUnavailable
from archive.store import Store
from archive.stores.directory import DirectoryStore


def open_store(url: str, versions: object, lock_until: Callable[[], datetime]) -> Store:
    """The store at `file:///folder` or `s3://bucket/prefix?endpoint=…&region=…`.

    `versions` (see archive.stores.s3.Versions) and `lock_until` serve S3 only.

    Raises:
        StoreUnavailable: another scheme, the library for S3 is not installed, or the place cannot be used.
    """
    scheme = urlsplit(url).scheme
    if scheme == "file":
        return DirectoryStore(folder_of(url))
    if scheme != "s3":
        raise StoreUnavailable(f"{url}: neither file: nor s3:")
    try:
        opened: Store = importlib.import_module("archive.stores.s3").S3Store(url, versions, lock_until)
    except ModuleNotFoundError as error:
        raise StoreUnavailable(f"{url}: {error}; install passerelle[s3]") from error
    return opened


def folder_of(url: str) -> Path:
    """The folder that a `file:` address names; `file:relative/path` is allowed."""
    return Path(unquote(url.removeprefix("file://").removeprefix("file:")))
