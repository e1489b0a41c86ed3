"""Is this exact address reachable today, and what follows from that. Pure.

The question is always about the value of BT-49 that the invoice carries, never about "some line of this company".
The directory of XP Z12-013 1.3.0 gives no dates: `Upcoming` is all it says about the future. Sources: DGFiP
specifications 3.5 (annuaire), XP Z12-013 annex B (directoryLineStatus).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from formats.identifiers import is_siren, parse_address_line
from gateway.platforms.port import DirectoryLine, DirectoryReply


class Reach(StrEnum):
    """The five answers."""

    REACHABLE = "reachable"
    NOT_YET = "not-yet"
    """Bound to a platform from a day to come."""

    DISABLED = "disabled"
    """Known, and bound to no platform."""

    UNKNOWN = "unknown"
    """Not in the directory."""

    CANNOT_TELL = "cannot-tell"
    """No directory, no usable answer, or one that contradicts itself. Says nothing about the buyer."""


class Step(StrEnum):
    """What to do with an invoice after an answer."""

    SEND = "send"
    HOLD = "hold"
    """Wait, and ask the directory again."""

    ASK = "ask"
    """Wait for a person."""


DEFAULT: Mapping[Reach, Step] = {
    Reach.REACHABLE: Step.SEND,
    Reach.NOT_YET: Step.HOLD,
    Reach.DISABLED: Step.ASK,
    Reach.UNKNOWN: Step.ASK,
    Reach.CANNOT_TELL: Step.SEND,
}
"""For an entity that chose nothing. A directory that fails stops no invoice (the platform checks again itself); an
address that certainly leads nowhere is shown before a number is spent on it; one that opens soon is waited for."""

CHOOSABLE = (Reach.NOT_YET, Reach.DISABLED, Reach.UNKNOWN, Reach.CANNOT_TELL)
"""What a legal entity may decide; a reachable buyer is always sent to."""

BY_STATUS: Mapping[str, Reach] = {"enabled": Reach.REACHABLE, "upcoming": Reach.NOT_YET, "disabled": Reach.DISABLED}
STATUS_WORDS: Mapping[str, str] = {"enabled": "active", "upcoming": "à venir", "disabled": "sans plateforme"}
MOST_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Finding:
    """One answer with its French words."""

    reach: Reach
    reason: str
    others: tuple[str, ...] = ()
    """The company's other addresses, each with its state, at most MOST_SHOWN."""


def siren_of(address: str | None) -> str | None:
    """The SIREN to ask the directory about; None for an address that is none of its forms."""
    line = parse_address_line(address or "")
    return line.siren if line is not None and is_siren(line.siren) else None


def judge(address: str, reply: DirectoryReply) -> Finding:
    """What a directory's reply says about exactly this address.

    A reply that names the address twice with different states, under another SIREN, or without a state that we know
    tells nothing: a wrong "unreachable" would hold back a good invoice.
    """
    siren = siren_of(address)
    exact = [line for line in reply.lines if line.addressing_identifier.upper() == address.upper()]
    others = _others(address, [line for line in reply.lines if line.siren in {siren, ""}])
    if any(line.siren not in {siren, ""} for line in exact):
        return Finding(Reach.CANNOT_TELL, f"L'annuaire attribue l'adresse {address} à une autre entreprise.", others)
    states = {BY_STATUS.get((line.status or "").casefold()) for line in exact}
    if len(states) > 1:
        return Finding(Reach.CANNOT_TELL, f"L'annuaire se contredit sur l'adresse {address}.", others)
    if states == {None}:
        said = exact[0].status or "aucun état"
        return Finding(Reach.CANNOT_TELL, f"L'annuaire connaît l'adresse {address} sans dire si elle est active "
                       f"({said}).", others)
    if states:
        reach = states.pop() or Reach.CANNOT_TELL
        return Finding(reach, EXACT[reach].format(address=address), others)
    if others:
        return Finding(Reach.UNKNOWN, f"L'adresse {address} ne figure pas à l'annuaire ; ce client y a : "
                       f"{', '.join(others)}.", others)
    if reply.unit_known:
        return Finding(Reach.DISABLED, f"L'entreprise {siren} figure à l'annuaire mais n'a encore choisi aucune "
                       "plateforme.")
    if reply.lines:
        return Finding(Reach.CANNOT_TELL, f"L'annuaire répond à propos d'autres entreprises que {siren}.")
    return Finding(Reach.UNKNOWN, f"Ni l'adresse {address} ni son entreprise ne figurent à l'annuaire.")


EXACT: Mapping[Reach, str] = {
    Reach.REACHABLE: "L'adresse {address} est active à l'annuaire.",
    Reach.NOT_YET: "L'adresse {address} n'est pas encore active : son rattachement à une plateforme prend effet plus "
                   "tard.",
    Reach.DISABLED: "L'adresse {address} figure à l'annuaire mais n'est rattachée à aucune plateforme.",
}


def decide(policy: Mapping[str, str] | None, reach: Reach) -> Step:
    """What the entity wants done after this answer. `policy` maps answers to steps; None and gaps take DEFAULT."""
    if reach is Reach.REACHABLE:
        return Step.SEND
    return Step((policy or {}).get(reach.value) or DEFAULT[reach])


def complete(policy: Mapping[str, str] | None) -> dict[str, str]:
    """The whole policy in force: a step for every answer that may be chosen."""
    return {reach.value: decide(policy, reach).value for reach in CHOOSABLE}


def _others(address: str, lines: Sequence[DirectoryLine]) -> tuple[str, ...]:
    told = {line.addressing_identifier: STATUS_WORDS.get((line.status or "").casefold(), "état inconnu")
            for line in lines if line.addressing_identifier.upper() != address.upper()}
    return tuple(f"{identifier} ({state})" for identifier, state in sorted(told.items()))[:MOST_SHOWN]
