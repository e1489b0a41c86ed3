"""The rule sets that decided verdicts, kept for good: packages carry only the newest edition.

Their files go into the object store, named by the hashes that reports and journal give, and into the folder in which
the rule supply looks first, so that a verdict can be reached again after the package has moved on.
"""

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from archive.store import Store
from gateway.deps import Deps
from validation.findings import LayerOutcome, Outcome, Report
from validation.workshop import rule_set_files

DECIDED = {Outcome.PASSED, Outcome.FAILED}


def keep_decided(deps: Deps, report: Report) -> None:
    """Keep every rule set that had its say in a report, at its first use. Costs a look at the folder afterwards.

    Raises:
        FormatError: the set that a worker used is not there any more, or altered since.
    """
    for layer in report.layers:
        key = key_of(layer)
        if key is not None and not (deps.settings.rules / key).is_dir():
            install(deps.store, deps.settings.rules, key, rule_set_files(key))


def key_of(layer: LayerOutcome) -> str | None:
    """The key of the published set that decided a layer; None where none did."""
    if layer.rule_set is None or layer.sha256 is None or layer.outcome not in DECIDED:
        return None
    return f"{layer.rule_set}@{layer.sha256[:12]}"


def install(store: Store, folder: Path, key: str, files: Mapping[str, bytes]) -> None:
    """Put the files of a set into the object store, then into the folder, where it appears at once and whole.

    A set of the same key that is there already stays as it is.
    """
    for content in files.values():
        store.put(content)
    folder.mkdir(parents=True, exist_ok=True)
    appear(stage(folder, files), folder / key)


def appear(staged: Path, place: Path) -> None:
    """Give a staged set its place, unless it is taken."""
    try:
        staged.rename(place)
    except OSError:  # another process was faster
        shutil.rmtree(staged)
        if not place.is_dir():
            raise
    mark_changed(place.parent)


def mark_changed(folder: Path) -> None:
    """Give the folder a time stamp that it did not have, after a change: workers read it again then.

    What the file system sets by itself is the tick of its clock, one for all that happens within milliseconds.
    """
    seen = folder.stat()
    os.utime(folder, ns=(seen.st_atime_ns, seen.st_mtime_ns + 1))


def stage(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write the files of a set into a new hidden folder inside `folder`, which nobody reads yet."""
    staged = Path(tempfile.mkdtemp(prefix=".new-", dir=folder))
    for name, content in files.items():
        place = staged / name
        if not place.resolve().is_relative_to(staged.resolve()):
            raise ValueError(f"{name!r} leads out of the folder of its rule set")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    staged.chmod(0o755)
    return staged
