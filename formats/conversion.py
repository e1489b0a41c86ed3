"""One document in, the same invoice in another syntax out, with an account of every text of the source."""

from dataclasses import dataclass, replace
from datetime import datetime

from formats import facturx
from formats.codes import FRENCH_TYPES
from formats.ends import read_source
from formats.errors import UnknownSyntax
from formats.invoice import Invoice
from formats.loss import LossReport, with_files
from formats.narrowing import asked, named
from formats.opening import Opened
from formats.passage import passed
from formats.profiles import Profile
from formats.rendering.appearance import PLAIN, Appearance
from formats.rendering.remarks import Remark
from formats.rendering.render import drawn
from formats.syntax import Syntax

TARGETS = ("ubl", "cii", "factur-x", "json")


@dataclass(frozen=True, slots=True)
class Conversion:
    """What became of a document."""

    document: bytes
    syntax: Syntax
    loss: LossReport
    remarks: tuple[Remark, ...] = ()
    """On the pages, where they were drawn here."""


def convert(
    document: bytes, to: str, *, profile: str | None = None, pdf: bytes | None = None, lang: str = "fr",
    made_at: datetime, appearance: Appearance = PLAIN, annex: bool = False,
) -> Conversion:
    """Convert UBL, CII, Factur-X or our JSON `to` ubl, cii, factur-x or json.

    `profile` sets BT-24 and leaves out what that profile does not carry; without it BT-24 stays as it is. A
    Factur-X is embedded into `pdf`, else into the source's own pages, else into pages drawn in `lang` with this
    `appearance`. `made_at` is aware and goes into the PDF's metadata. No rule is checked and no amount computed,
    but for the fillers that the report lists.

    With `annex` the texts that the target has no place for go along in one supporting document (BG-24), and those of
    such a document that came from this target's syntax go back to their places, see annex.

    Raises:
        UnknownSyntax: the source is no invoice, or `to` is none of the four.
        CannotWrite: the target cannot be written; or `profile` names none that has a BT-24 of its own.
        Others of the FormatError family: the source cannot be read, see opening.
    """
    if to not in TARGETS:
        raise UnknownSyntax(f"{to!r} is not one of {', '.join(TARGETS)}")
    source = read_source(document)
    wanted = asked(profile)
    level = wanted or (Profile.EN16931 if source.opened.profile is Profile.UNKNOWN else source.opened.profile)
    limit = level if to == "factur-x" else wanted  # a Factur-X obeys the schema of the profile that it names
    invoice = source.invoice if wanted is None else named(source.invoice, wanted)
    passage = passed(source, invoice, to, limit, with_annex=annex)
    invoice, loss = passage.invoice, passage.loss
    written = passage.target.document()
    if to != "factur-x":
        return Conversion(written, passage.syntax, _with_attachments(loss, source.opened))
    own_pages = document if source.opened.attachment is not None else None
    words = facturx.Words(
        profile=level.value, title=_title(invoice, lang),
        author=invoice.seller.name or "", subject=_title(invoice, lang), lang=lang,
    )
    given = own_pages if pdf is None else pdf
    if given is None:
        pages = drawn(_seen(source.invoice, invoice, level), lang=lang, appearance=appearance)
        document = facturx.embed(pages.pdf, written, made_at=made_at, **words)
        return Conversion(document, Syntax.FACTUR_X, _with_attachments(loss, source.opened), pages.remarks)
    embedded = facturx.embed_repaired(given, written, made_at=made_at, **words)
    loss = replace(loss, pdf_changes=embedded.changes)
    loss = loss if pdf is None else _with_attachments(loss, source.opened)
    return Conversion(embedded.document, Syntax.FACTUR_X, loss)


def _seen(whole: Invoice, invoice: Invoice, level: Profile) -> Invoice:
    """What the pages show: where the XML has no lines the pages are the invoice, and lack nothing of it."""
    if level.value not in facturx.WITHOUT_LINES:
        return invoice
    return replace(whole, specification_identifier=invoice.specification_identifier)


def _with_attachments(loss: LossReport, opened: Opened) -> LossReport:
    """Into XML, JSON or another PDF the files beside the invoice do not go."""
    others = opened.attachment.others if opened.attachment is not None else ()
    return with_files(loss, (one.filename or "" for one in others))


def _title(invoice: Invoice, lang: str) -> str:
    kind = FRENCH_TYPES.get(invoice.type_code or "", FRENCH_TYPES["380"])
    return f"{kind.en if lang == 'en' else kind.fr} {invoice.number or ''}".strip()

