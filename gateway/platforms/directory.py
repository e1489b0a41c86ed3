"""The directory side of XP Z12-013 (Directory Service 1.1 to 1.3): which lines a legal unit has.

Read only, and only what a sender needs. Nothing is concluded here: gateway/directory does that.
"""

import json
from collections.abc import Mapping
from typing import Any

from gateway.platforms.answers import Malformed, read_line, read_object, read_results
from gateway.platforms.link import Link
from gateway.platforms.port import DirectoryLine, DirectoryReply, Precondition, Rejected, Unavailable

PAGE = 100
MAX_PAGES = 50
"""Bound of the loop that reads one SIREN's lines."""

NOBODY = frozenset({"NOT_FOUND", "MISSING_RESOURCE"})
"""Words of a 404 that is an answer. A bare 404 says that nothing listens at this address."""


class AfnorDirectory:
    """The directory service of one platform, over its link."""

    def __init__(self, link: Link, url: str | None) -> None:
        self._link = link
        self._base = url and url.rstrip("/") + "/v1"

    def ask(self, siren: str, *, unit: bool = True) -> DirectoryReply:
        """Every line of a SIREN; where there is none and `unit` is set, whether the legal unit is known.

        No `fields` are asked for: asking hides the status of a line. 204 and a 404 with the directory's own words
        mean none, 206 means more.

        Raises:
            Precondition: there is no directory, or we may not ask it.
            Rejected, Unavailable: no answer that means anything.
        """
        if self._base is None:
            raise Precondition("NO_DIRECTORY", "this connection has no directory address")
        told: list[dict[str, Any]] = []
        lines = self._lines(siren, told)
        known = self._knows(siren, told) if unit and not lines else None
        return DirectoryReply(lines=lines, unit_known=known, raw=json.dumps(told, ensure_ascii=False).encode())

    def _lines(self, siren: str, told: list[dict[str, Any]]) -> tuple[DirectoryLine, ...]:
        lines: list[DirectoryLine] = []
        for page in range(MAX_PAGES):
            results = self._search("directory-line", "addressingIdentifier", siren, page * PAGE, told)
            try:
                found = [read_line(item) for item in results]
            except Malformed as error:
                raise Unavailable("MALFORMED_ANSWER", str(error)) from error
            if len(found) < PAGE or set(found) <= set(lines):
                return (*lines, *(line for line in found if line not in lines))
            lines += found
        raise Unavailable("TOO_MANY_LINES", f"SIREN {siren} has more than {MAX_PAGES * PAGE} lines")

    def _knows(self, siren: str, told: list[dict[str, Any]]) -> bool:
        return any(str(item.get("siren")) == siren for item in self._search("siren", "siren", siren, 0, told))

    def _search(
        self, resource: str, key: str, siren: str, ignore: int, told: list[dict[str, Any]]
    ) -> tuple[Mapping[str, Any], ...]:
        """One page; the question and the answer join `told`."""
        criteria = {"filters": {"siren": {"op": "strict", "value": siren}}, "limit": PAGE, "ignore": ignore,
                    "sorting": [{"field": key, "order": "ascending"}]}
        asked = {"asked": f"POST /v1/{resource}/search", "with": criteria}
        try:
            answer = self._link.call("POST", f"{self._base}/{resource}/search", json=criteria)
        except Rejected as error:
            if error.code not in NOBODY or not (error.evidence or "").startswith("HTTP 404 "):
                raise
            told.append({**asked, "answer": error.evidence})
            return ()
        told.append({**asked, "answer": answer.body.decode("utf-8", "replace")})
        try:
            return read_results(read_object(answer.body))
        except Malformed as error:
            raise Unavailable("MALFORMED_ANSWER", str(error)) from error
