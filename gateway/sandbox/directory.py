"""The sandbox's Directory Service 1.3.0, as far as a sender needs it: lines, legal units, facilities."""

from collections.abc import Callable, Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, ConfigDict

from gateway.sandbox.participants import AddressingLine, Participant
from gateway.sandbox.stage import CurrentStage, Problem, Stage, authorised

router = APIRouter(dependencies=[Depends(authorised)])

Fields = Annotated[str | None, Query()]
OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "strict": lambda value, wanted: value == wanted,
    "contains": lambda value, wanted: wanted.casefold() in value.casefold(),
    "startWith": lambda value, wanted: value.casefold().startswith(wanted.casefold()),
}
STATUS_FIELDS = ("directoryLineStatus", "platformType")
"""What only an answer without `fields` shows: they are not among the values that `fields` may have."""


class Filter(BaseModel):
    """One criterion."""

    op: str = "strict"
    value: str


class DirectorySearch(BaseModel):
    """The body of every search; unknown keys are passed over."""

    model_config = ConfigDict(extra="ignore")

    filters: dict[str, Filter] = {}
    fields: list[str] | None = None
    include: list[str] = []
    limit: int = 100
    ignore: int = 0


@router.post("/v1/directory-line/search")
def search_lines(search: DirectorySearch, stage: CurrentStage) -> dict[str, Any]:
    """Addressing lines."""
    rows = [(member, line) for member in stage.participants.members for line in member.lines]
    shown = [_line(member, line) for member, line in rows]
    found = [_line(member, line, search.include) for (member, line), flat in zip(rows, shown, strict=True)
             if _matches(flat, search)]
    return _page(found, search, "addressingIdentifier")


@router.get("/v1/directory-line/code:{identifier}")
def get_line(identifier: str, stage: CurrentStage, fields: Fields = None, include: Fields = None) -> dict[str, Any]:
    """One line. Its status is shown only when it is one that this answer may have."""
    found = stage.participants.of_address(identifier)
    if found is None:
        raise _not_found(identifier)
    line = _line(*found, (include or "").split(","))
    if line["directoryLineStatus"] == "Upcoming":
        del line["directoryLineStatus"]
    return _narrowed(line, fields.split(",") if fields else None)


@router.post("/v1/siren/search")
def search_units(search: DirectorySearch, stage: CurrentStage) -> dict[str, Any]:
    """Legal units."""
    return _page([unit for unit in map(_unit, stage.participants.members) if _matches(unit, search)], search, "siren")


@router.get("/v1/siren/code-insee:{siren}")
def get_unit(siren: str, stage: CurrentStage, fields: Fields = None) -> dict[str, Any]:
    """One legal unit."""
    member = stage.participants.by_siren(siren)
    if member is None:
        raise _not_found(siren)
    return _narrowed(_unit(member), fields.split(",") if fields else None)


@router.post("/v1/siret/search")
def search_facilities(search: DirectorySearch, stage: CurrentStage) -> dict[str, Any]:
    """Facilities."""
    return _page([item for item in _facilities(stage) if _matches(item, search)], search, "siret")


@router.get("/v1/siret/code-insee:{siret}")
def get_facility(siret: str, stage: CurrentStage, fields: Fields = None) -> dict[str, Any]:
    """One facility."""
    found = next((item for item in _facilities(stage) if item["siret"] == siret), None)
    if found is None:
        raise _not_found(siret)
    return _narrowed(found, fields.split(",") if fields else None)


@router.post("/v1/routing-code/search")
@router.get("/v1/routing-code/{rest:path}")
def no_routing_codes() -> None:
    """Routing codes come with the lines; asking for them alone is not built."""
    raise Problem(501, "NOT_IMPLEMENTED", "The sandbox shows routing codes only inside directory lines")


@router.get("/v1/healthcheck")
def healthcheck() -> Response:
    """200 without content."""
    return Response(status_code=200)


def _page(found: list[dict[str, Any]], search: DirectorySearch, order: str) -> dict[str, Any]:
    found.sort(key=lambda item: str(item[order]))
    return {
        "search": search.model_dump(exclude_unset=True),
        "totalNumberOfResults": len(found),
        "results": [_narrowed(item, search.fields) for item in found[search.ignore:search.ignore + search.limit]],
    }


def _matches(item: dict[str, Any], search: DirectorySearch) -> bool:
    """Whether every filter fits; one on a field that the item lacks does not."""
    for name, wanted in search.filters.items():
        if wanted.op not in OPERATORS:
            raise Problem(422, "UNPROCESSABLE_ENTITY", f"{wanted.op} is no operator")
        if name not in item or not OPERATORS[wanted.op](str(item[name]), wanted.value):
            return False
    return True


def _narrowed(item: dict[str, Any], fields: list[str] | None) -> dict[str, Any]:
    if not fields:
        return item
    if set(fields) & set(STATUS_FIELDS):
        raise Problem(400, "PARAMS_ERROR", "`fields` has a value that it may not have")
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
        shown["routingCode"] = {"routingIdentifier": line.routing_identifier, "routingIdentifierType": "0224",
                                "routingCodeName": line.routing_name or line.routing_identifier,
                                "administrativeStatus": "A"}
    return shown


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
