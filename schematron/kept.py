"""Rule sets that lie in a folder: what an operator added, and what decided a verdict before the package moved on.

One folder per set, named by its key, with `rule-set.json` (its entry, as the manifest would have it) and its files.
A folder appears and changes only by renaming, and who changes it marks the folder above, so that a process which has
read the folder sees by its time stamp that it has to read it again. Nothing here trusts the files: their hashes are
compared when a set is used, as for those of the packages.
"""

import json
import logging
from pathlib import Path
from typing import Final

from schematron.rule_set import RuleSet, from_entry

DESCRIPTION: Final = "rule-set.json"
"""Name of the entry in the folder of a set."""

log = logging.getLogger(__name__)


def stamp_of(folder: Path) -> int:
    """Changes whenever the folder does; 0 where there is none."""
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return 0


def read_folder(folder: Path) -> tuple[RuleSet, ...]:
    """The sets of a folder, by name. An entry that cannot be read is left out, and logged."""
    found = []
    for path in sorted(folder.glob(f"[!.]*/{DESCRIPTION}")):
        try:
            found.append(from_entry({**json.loads(path.read_bytes()), "root": path.parent}))
        except (OSError, ValueError, TypeError) as error:
            log.warning("%s describes no rule set: %s", path, error)
    return tuple(found)
