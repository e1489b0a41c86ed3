"""Valider: read a file, show the verdict, keep nothing."""

from typing import Annotated

from fastapi import APIRouter, Response

from gateway.auth import Permission
from gateway.console.page import FILE_BYTES, Act, Page, Sees, Uploads, Visit
from gateway.console.verdict import arrange
from gateway.console.views.invoices import day
from gateway.outgoing.tools import proposals
from validation.findings import patch_json

router = APIRouter(route_class=Page, include_in_schema=False)


@router.get("/valider")
def show_form(visit: Annotated[Visit, Sees(Permission.VALIDATE)]) -> Response:
    """The form."""
    return visit.draw("valider.html", reading=None, invoice=None, problem=None, name="", as_of=None, unmapped=())


@router.post("/valider")
def check_file(act: Annotated[Act, Uploads(Permission.VALIDATE)]) -> Response:
    """The verdict on one file."""
    upload = act.file("document")
    as_of = day(act.text("date")) or act.deps.today()
    document = upload.file.read(FILE_BYTES + 1) if upload is not None else b""
    if upload is None or not document:
        return act.visit.draw("valider.html", status=422, reading=None, invoice=None, name="", as_of=as_of,
                              problem="Choisissez un fichier qui n'est pas vide.", unmapped=())
    inspection = act.deps.workshop.inspect(document, as_of=as_of)
    if act.text("forme") == "pdf":
        printed = act.deps.workshop.present(((upload.filename or "–", inspection.report),), form="pdf")
        return Response(printed, media_type="application/pdf",
                        headers={"Content-Disposition": 'inline; filename="rapport.pdf"',
                                 "X-Content-Type-Options": "nosniff"})
    return act.visit.draw("valider.html", reading=arrange(inspection.report.to_json()), invoice=inspection.invoice,
                          name=upload.filename, as_of=as_of, problem=None, unmapped=inspection.unmapped,
                          patches=[patch_json(each) for each in proposals(act.deps, document, as_of)])
