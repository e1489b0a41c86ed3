"""The five answers, over every reply that a directory may give, right or lying."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.directory.reachability import DEFAULT, Reach, Step, complete, decide, judge, siren_of
from gateway.platforms.port import DirectoryLine, DirectoryReply

SIREN, OTHER = "000001016", "000001024"


def reply(*lines: tuple[str, str | None], siren: str = SIREN, unit: bool | None = None) -> DirectoryReply:
    return DirectoryReply(lines=tuple(DirectoryLine(addressing_identifier=address, siren=siren, status=state,
                                                    platform_type="WK") for address, state in lines),
                          unit_known=unit, raw=b"[]")


@pytest.mark.parametrize(("said", "reach"), [
    (reply((SIREN, "Enabled")), Reach.REACHABLE),
    (reply((SIREN, "ENABLED")), Reach.REACHABLE),
    (reply((SIREN, "Upcoming")), Reach.NOT_YET),
    (reply((SIREN, "Disabled")), Reach.DISABLED),
    (reply((SIREN, None)), Reach.CANNOT_TELL),
    (reply((SIREN, "Paused")), Reach.CANNOT_TELL),
    (reply((SIREN, "Enabled"), (SIREN, "Enabled")), Reach.REACHABLE),
    (reply((SIREN, "Enabled"), (SIREN, "Disabled")), Reach.CANNOT_TELL),
    (reply((SIREN, "Enabled"), siren=OTHER), Reach.CANNOT_TELL),
    (reply((SIREN, "Enabled"), siren=""), Reach.REACHABLE),
    (reply((f"{SIREN}_COMPTA", "Enabled")), Reach.UNKNOWN),
    (reply((OTHER, "Enabled"), siren=OTHER), Reach.CANNOT_TELL),
    (reply(unit=True), Reach.DISABLED),
    (reply(unit=False), Reach.UNKNOWN),
])
def test_what_a_reply_says_about_the_exact_address(said: DirectoryReply, reach: Reach) -> None:
    finding = judge(SIREN, said)
    assert finding.reach is reach
    assert SIREN in finding.reason


def test_a_line_of_the_company_is_no_line_of_the_address_and_is_shown() -> None:
    address = f"{SIREN}_00000101600011"
    finding = judge(address, reply((SIREN, "Enabled"), (f"{SIREN}_COMPTA", "Upcoming")))
    assert finding.reach is Reach.UNKNOWN
    assert finding.others == (f"{SIREN} (active)", f"{SIREN}_COMPTA (à venir)")
    assert address in finding.reason
    assert finding.others[0] in finding.reason


LINES = st.tuples(st.sampled_from([SIREN, f"{SIREN}_A", OTHER]), st.sampled_from([SIREN, OTHER, ""]),
                  st.sampled_from(["Enabled", "Disabled", "Upcoming", None, "?"]))


@given(st.lists(LINES, max_size=6))
def test_only_an_enabled_line_of_this_address_makes_it_reachable(lines: list[tuple[str, str, str | None]]) -> None:
    said = DirectoryReply(lines=tuple(
        DirectoryLine(addressing_identifier=address, siren=siren, status=state, platform_type=None)
        for address, siren, state in lines), unit_known=True, raw=b"[]")
    exact = [(siren, state) for address, siren, state in lines if address == SIREN]
    clear = bool(exact) and {state for _, state in exact} == {"Enabled"} and OTHER not in {s for s, _ in exact}
    assert (judge(SIREN, said).reach is Reach.REACHABLE) == clear


@pytest.mark.parametrize("address", [None, "", "compta@example.org", "123456789", "000001016/A"])
def test_addresses_that_no_french_directory_has(address: str | None) -> None:
    assert siren_of(address) is None


def test_a_policy_fills_its_gaps_and_never_stops_a_reachable_buyer() -> None:
    assert {reach: decide(None, reach) for reach in Reach} == DEFAULT
    policy = {"reachable": "ask", "unknown": "send"}
    assert decide(policy, Reach.REACHABLE) is Step.SEND
    assert decide(policy, Reach.UNKNOWN) is Step.SEND
    assert complete(policy) == {"not-yet": "hold", "disabled": "ask", "unknown": "send", "cannot-tell": "send"}
