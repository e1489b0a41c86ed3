"""HTTP of the eight verbs of NF Z42-020 on the objects of one tenant.

The door lets in whoever is known; the safe judges each verb by the caller's rights, and journals what it refuses too.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from archive.errors import CallRefused, DestructionRefused, ObjectDamaged
from archive.store import Digest
from archive.stores.safe import Safe, Verb
from gateway.auth import Permission, caller
from gateway.deps import CurrentDeps
from gateway.intake import bounded_body
from gateway.keeping.objects import RIGHTS, safe_of
from gateway.keeping.schemas import Calls, CardOut, Cards, CountOut, OrderIn, call_out, card_out
from gateway.problems import Problem, documented, not_found

router = APIRouter(prefix="/v1/evidence/objects", tags=["evidence"])
MOST_BYTES = 100 << 20
HEX = r"^[0-9a-f]{64}$"
Id = Annotated[str, Path(pattern=HEX)]
"""The SHA-256 of the bytes, which is also the id of the object."""

BYTES = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
REFUSED = documented(404, 409, 422)


@dataclass(frozen=True)
class Asks:
    """Gives the safe of a caller who is about to ask for a verb, whatever he may do."""

    verb: Verb

    @property
    def permission(self) -> Permission:
        """What the verb needs. The safe looks at it, and the test that lists every route."""
        return RIGHTS[self.verb]

    def __call__(self, request: Request, deps: CurrentDeps) -> Safe:
        """The dependency."""
        return safe_of(deps, caller(request, deps))


async def raw_object(request: Request) -> bytes:
    """The raw body, at most 100 MB."""
    return await bounded_body(request, MOST_BYTES)


@contextmanager
def answered(verb: Verb) -> Iterator[None]:
    """What the safe refuses, as problems: 403 without the right, 404 without the object, 409, 422."""
    try:
        yield
    except CallRefused as error:
        if str(error).startswith("no right"):
            raise Problem(403, "forbidden", f"Il faut le droit {RIGHTS[verb]}. / Needs {RIGHTS[verb]}.") from error
        raise not_found() from error
    except DestructionRefused as error:
        raise Problem(409, error.code, f"Destruction refusée / refused: {error}") from error
    except ObjectDamaged as error:
        status = 422 if verb is Verb.DEPOSIT else 500
        raise Problem(status, error.code, f"L'empreinte ne correspond pas. / The hash does not fit: {error}") from error


@router.post("", status_code=201, responses=REFUSED,
             openapi_extra={"requestBody": {"required": True, "content": BYTES}})
def deposit(
    safe: Annotated[Safe, Depends(Asks(Verb.DEPOSIT))], data: Annotated[bytes, Depends(raw_object)],
    sha256: Annotated[str | None, Query(pattern=HEX)] = None,
) -> CardOut:
    """Deposit bytes. Whoever names their `sha256` is refused where the bytes have another."""
    with answered(Verb.DEPOSIT):
        return card_out(safe.deposit(data, claimed=Digest(sha256) if sha256 is not None else None))


@router.get("", responses=REFUSED)
def list_objects(
    safe: Annotated[Safe, Depends(Asks(Verb.LIST))], after: Annotated[str | None, Query(pattern=HEX)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
) -> Cards:
    """The objects behind `after`, in order of their ids."""
    with answered(Verb.LIST):
        cards = safe.list(Digest(after) if after is not None else None, most=limit)
    return Cards(items=[card_out(card) for card in cards])


@router.get("/count", responses=REFUSED)
def count(safe: Annotated[Safe, Depends(Asks(Verb.COUNT))]) -> CountOut:
    """How many objects there are."""
    with answered(Verb.COUNT):
        return CountOut(count=safe.count())


@router.get("/{sha256}", responses=REFUSED)
def metadata(safe: Annotated[Safe, Depends(Asks(Verb.METADATA))], sha256: Id) -> CardOut:
    """Id, depositor, date, size, algorithm and hash of an object."""
    with answered(Verb.METADATA):
        return card_out(safe.metadata(Digest(sha256)))


@router.get("/{sha256}/content", response_class=Response, responses={200: {"content": BYTES}, **REFUSED})
def read(safe: Annotated[Safe, Depends(Asks(Verb.READ))], sha256: Id) -> Response:
    """The bytes, after their hash was computed again."""
    with answered(Verb.READ):
        return Response(safe.read(Digest(sha256)), media_type="application/octet-stream",
                        headers={"Content-Disposition": f'attachment; filename="{sha256}"'})


@router.post("/{sha256}/control", responses=REFUSED)
def control(safe: Annotated[Safe, Depends(Asks(Verb.CONTROL))], sha256: Id) -> CardOut:
    """Compute the hash of an object again."""
    with answered(Verb.CONTROL):
        return card_out(safe.control(Digest(sha256)))


@router.get("/{sha256}/journal", responses=REFUSED)
def journal(safe: Annotated[Safe, Depends(Asks(Verb.JOURNAL))], sha256: Id) -> Calls:
    """What was ever done with an object by these verbs, oldest first; refused calls too, destroyed objects too."""
    with answered(Verb.JOURNAL):
        return Calls(items=[call_out(call) for call in safe.journal(Digest(sha256))])


@router.post("/{sha256}/destroy", status_code=204, responses=REFUSED)
def destroy(safe: Annotated[Safe, Depends(Asks(Verb.DESTROY))], sha256: Id, order: OrderIn) -> None:
    """Destroy an object past its time, under no hold, and that two persons have ordered to go."""
    with answered(Verb.DESTROY):
        safe.destroy(Digest(sha256), reason=order.reason)
