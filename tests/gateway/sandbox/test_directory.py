"""The question about an address, asked of a real sandbox: every state that its directory knows."""

from typing import Any

import pytest

from gateway.directory.reachability import judge, siren_of
from gateway.platforms.afnor import AfnorPlatform


@pytest.mark.parametrize(("address", "reach"), [
    ("000001016", "reachable"), ("000001164_00000116400011_ACHATS", "reachable"), ("000001164_COMPTA", "not-yet"),
    ("000001156", "disabled"), ("000001164_VENTES", "unknown"), ("999999998", "unknown"),
])
def test_each_answer_of_a_real_directory(platform: AfnorPlatform, address: str, reach: str) -> None:
    reply = platform.ask_directory(siren_of(address) or "")
    assert judge(address, reply).reach == reach
    assert reply.raw.startswith(b'[{"asked": "POST /v1/directory-line/search"')
    assert reply.unit_known is (False if address == "999999998" else None)


def test_a_wrong_address_names_the_right_ones(platform: AfnorPlatform, sandbox: Any) -> None:
    del sandbox
    finding = judge("000001164_VENTES", platform.ask_directory("000001164"))
    assert finding.others == ("000001164 (active)", "000001164_00000116400011 (active)",
                              "000001164_00000116400011_ACHATS (active)", "000001164_COMPTA (à venir)")
