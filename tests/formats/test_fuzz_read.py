"""Whatever is broken in a document, only errors of ours come out of reading and converting it."""

import os
from collections import Counter
from datetime import UTC, datetime

from mangled import mangled

from formats.conversion import convert
from formats.errors import FormatError
from formats.syntax import read

SEED = int(os.environ.get("PASSERELLE_FUZZ_SEED", "20261122"))
COUNT = int(os.environ.get("PASSERELLE_FUZZ_COUNT", "500"))
MADE_AT = datetime(2026, 11, 22, tzinfo=UTC)


def test_broken_documents_read_or_are_refused_by_name() -> None:
    """What still reads converts to every other syntax, or is refused by name as well."""
    outcomes: Counter[str] = Counter()
    for number, document in enumerate(mangled(SEED, COUNT)):
        try:
            read(document)
            outcomes["read"] += 1
            convert(document, ("ubl", "cii", "json")[number % 3], made_at=MADE_AT)
            outcomes["converted"] += 1
        except FormatError as error:
            outcomes[error.code] += 1

    assert outcomes["converted"] > COUNT // 20
    assert {"malformed-xml", "bad-value"} <= outcomes.keys()
