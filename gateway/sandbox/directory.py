"""The sandbox's Directory Service 1.3.0, read only: lines, legal units, facilities, routing codes.

In 1.1 and 1.2 a search answers 204 and 206, and one line by its code has no status.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from gateway.sandbox.participants import AddressingLine, Participant
from gateway.sandbox.stage import CurrentStage, Problem, Stage, authorised

router = APIRouter(dependencies=[Depends(authorised)])

Fields = Annotated[str | None, Query()]
OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "strict": lambda value, wanted: value == wanted,
    "contains": lambda value, wanted: wanted.casefold() in value.casefold(),
    "startWith": lambda value, wanted: value.casefold().startswith(wanted.casefold()),
}
FIELDS: Mapping[str, frozenset[str]] = {
    "siren": frozenset({"siren", "businessName", "entityType", "administrativeStatus", "instructions"}),
    "siret": frozenset({
        "siret", "siren", "name", "facilityType", "administrativeStatus", "siretInstructions", "address", "pmStatus",
        "pmOnly", "managesPaymentStatus", "managesLegalCommitment", "managesLegalCommitmentOrService",
        "serviceCodeStatus"}),
    "addressingIdentifier": frozenset({"addressingIdentifier", "siren", "siret", "routingIdentifier",
                                       "addressingSuffix"}),
    "routingIdentifier": frozenset({"routingIdentifier", "siret", "routingIdentifierType", "routingCodeName",
                                    "managesLegalCommitmentCode", "administrativeStatus", "address"}),
}
"""By the name of a resource's key: what `fields` and sorting may name. A line's status is not among them."""

INCLUDES: Mapping[str, frozenset[str]] = {
    "siren": frozenset(), "siret": frozenset({"siren"}),
    "addressingIdentifier": frozenset({"siren", "siret", "routingCode"}),
    "routingIdentifier": frozenset({"siren", "siret"}),
}


class Filter(BaseModel):
    """One criterion."""

    op: str = "strict"
    value: str


class Sorting(BaseModel):
    """One order. A public client writes `sortingOrder`, which is passed over."""

    field: str
    order: Literal["ascending", "descending"] = "ascending"


class DirectorySearch(BaseModel):
    """The body of every search; unknown keys are passed over."""

    model_config = ConfigDict(extra="ignore")

    filters: dict[str, Filter] = {}
    sorting: list[Sorting] = []
    fields: list[str] = []
    include: list[str] = []
    limit: int = Field(100, ge=0)
    ignore: int = Field(0, ge=0)


@router.post("/v1/directory-line/search")
def search_lines(search: DirectorySearch, stage: CurrentStage) -> Response:
    """Addressing lines."""
    rows = [(member, line) for member in stage.participants.members for line in member.lines]
    found = [_line(member, line, search.include) for member, line in rows if _matches(_line(member, line), search)]
    if stage.faults.now.directory_lies:
        found = [{**line, "directoryLineStatus": "Enabled"} for line in found or _invented(search)]
    if stage.version == "1.1":
        found = [{"platformStatus" if name == "directoryLineStatus" else name: value for name, value in line.items()}
                 for line in found]
    return _page(found, search, "addressingIdentifier", stage)


@router.get("/v1/directory-line/code:{identifier}")
def get_line(identifier: str, stage: CurrentStage, fields: Fields = None, include: Fields = None) -> dict[str, Any]:
    """One line. Its status is shown only when it is one that this answer may have."""
    wanted, included = _listed(fields), _listed(include)
    _check("addressingIdentifier", wanted, included)
    found = stage.participants.of_address(identifier)
    if found is None:
        raise _not_found(identifier)
    line = _line(*found, included)
    if line["directoryLineStatus"] == "Upcoming" or stage.version != "1.3":
        del line["directoryLineStatus"]
    return _narrowed(line, wanted)


@router.post("/v1/siren/search")
def search_units(search: DirectorySearch, stage: CurrentStage) -> Response:
    """Legal units."""
    found = [unit for unit in map(_unit, stage.participants.members) if _matches(unit, search)]
    return _page(found, search, "siren", stage)


@router.get("/v1/siren/code-insee:{siren}")
def get_unit(siren: str, stage: CurrentStage, fields: Fields = None) -> dict[str, Any]:
    """One legal unit."""
    wanted = _listed(fields)
    _check("siren", wanted, [])
    member = stage.participants.by_siren(siren)
    if member is None:
        raise _not_found(siren)
    return _narrowed(_unit(member), wanted)


@router.post("/v1/siret/search")
def search_facilities(search: DirectorySearch, stage: CurrentStage) -> Response:
    """Facilities."""
    return _page([item for item in _facilities(stage) if _matches(item, search)], search, "siret", stage)


@router.get("/v1/siret/code-insee:{siret}")
def get_facility(siret: str, stage: CurrentStage, fields: Fields = None) -> dict[str, Any]:
    """One facility."""
    wanted = _listed(fields)
    _check("siret", wanted, [])
    found = next((item for item in _facilities(stage) if item["siret"] == siret), None)
    if found is None:
        raise _not_found(siret)
    return _narrowed(found, wanted)


@router.post("/v1/routing-code/search")
def search_routing_codes(search: DirectorySearch, stage: CurrentStage) -> Response:
    """Routing codes of facilities."""
    found = [item for item in _routing_codes(stage, search.include) if _matches(item, search)]
    return _page(found, search, "routingIdentifier", stage)


@router.get("/v1/routing-code/siret:{siret}/code:{identifier}")
def get_routing_code(siret: str, identifier: str, stage: CurrentStage, fields: Fields = None,
                     include: Fields = None) -> dict[str, Any]:
    """One routing code."""
    wanted, included = _listed(fields), _listed(include)
    _check("routingIdentifier", wanted, included)
    for item in _routing_codes(stage, included):
        if (item["siret"], item["routingIdentifier"]) == (siret, identifier):
            return _narrowed(item, wanted)
    raise _not_found(identifier)


def _listed(text: str | None) -> list[str]:
    return text.split(",") if text else []


def _check(key: str, fields: list[str], include: list[str]) -> None:
    """Refuse names that `fields` and `include` may not have."""
    if not set(fields) <= FIELDS[key] or not set(include) <= INCLUDES[key]:
        raise Problem(400, "PARAMS_ERROR", "`fields` or `include` has a value that it may not have")


def _page(found: list[dict[str, Any]], search: DirectorySearch, key: str, stage: Stage) -> Response:
    """A page of results. Before 1.3: 204 where there is none, 206 where there are more."""
    _check(key, search.fields, search.include)
    found.sort(key=lambda item: str(item[key]))
    for sorting in reversed(search.sorting):
        if sorting.field not in FIELDS[key]:
            raise Problem(400, "PARAMS_ERROR", f"{sorting.field} is nothing to sort by")
        found.sort(key=lambda item: str(item.get(sorting.field, "")),
                   reverse=sorting.order == "descending")
    page = [_narrowed(item, search.fields) for item in found[search.ignore:search.ignore + search.limit]]
    if stage.version != "1.3" and not found:
        return Response(status_code=204)
    partial = stage.version != "1.3" and search.ignore + len(page) < len(found)
    return JSONResponse({"search": search.model_dump(exclude_unset=True), "totalNumberOfResults": len(found),
                         "results": page}, 206 if partial else 200)


def _matches(item: dict[str, Any], search: DirectorySearch) -> bool:
    """Whether every filter fits; one on a field that the item lacks does not."""
    for name, wanted in search.filters.items():
        if wanted.op not in OPERATORS:
            raise Problem(422, "UNPROCESSABLE_ENTITY", f"{wanted.op} is no operator")
        if name not in item or not OPERATORS[wanted.op](str(item[name]), wanted.value):
            return False
    return True


def _narrowed(item: dict[str, Any], fields: list[str]) -> dict[str, Any]:
    if not fields:
        return item
    return {name: value for name, value in item.items() if name in fields}


def _line(member: Participant, line: AddressingLine, include: list[str] | tuple[str, ...] = ()) -> dict[str, Any]:
    optional = {"siret": line.siret, "routingIdentifier": line.routing_identifier, "addressingSuffix": line.suffix}
    shown: dict[str, Any] = {"addressingIdentifier": line.identifier, "platformType": line.platform,
                             "directoryLineStatus": line.status, "siren": member.siren,
                             **{name: value for name, value in optional.items() if value is not None}}
    if "siren" in include:
        shown["legalUnit"] = _unit(member)
    if "siret" in include and line.siret is not None:
        shown["facility"] = _facility(member, line.siret)
    if "routingCode" in include and line.routing_identifier is not None:
        shown["routingCode"] = _routing_code(line)
    return shown


def _routing_code(line: AddressingLine) -> dict[str, Any]:
    return {"routingIdentifier": line.routing_identifier, "routingIdentifierType": "0224",
            "routingCodeName": line.routing_name or line.routing_identifier, "administrativeStatus": "A"}


def _routing_codes(stage: Stage, include: list[str]) -> Iterator[dict[str, Any]]:
    for member in stage.participants.members:
        for line in member.lines:
            if line.routing_identifier is None or line.siret is None:
                continue
            shown = {**_routing_code(line), "siret": line.siret}
            if "siren" in include:
                shown["legalUnit"] = _unit(member)
            if "siret" in include:
                shown["facility"] = _facility(member, line.siret)
            yield shown


def _invented(search: DirectorySearch) -> list[dict[str, Any]]:
    """The line of somebody whom nobody knows."""
    siren = search.filters.get("siren")
    return [] if siren is None else [{"addressingIdentifier": siren.value, "platformType": "WK", "siren": siren.value}]


def _unit(member: Participant) -> dict[str, Any]:
    return {"siren": member.siren, "businessName": member.name, "administrativeStatus": "A",
            "entityType": "Public" if member.public else "PrivateVatRegistered"}


def _facilities(stage: Stage) -> Iterator[dict[str, Any]]:
    for member in stage.participants.members:
        for siret in sorted({line.siret for line in member.lines if line.siret is not None}):
            yield _facility(member, siret)


def _facility(member: Participant, siret: str) -> dict[str, Any]:
    return {"siret": siret, "siren": member.siren, "name": member.name, "facilityType": "P",
            "administrativeStatus": "A"}


def _not_found(what: str) -> Problem:
    return Problem(404, "NOT_FOUND", f"The directory does not know {what}")
