"""One document in, the same invoice in another syntax out, with an account of every text of the source."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from formats import facturx, terms
from formats.codes import FRENCH_TYPES
from formats.drafts import as_bytes
from formats.errors import CannotWrite, NothingInside, UnknownSyntax
from formats.invoice import Invoice, Line
from formats.json_form import read_json, write_json
from formats.loss import LossReport, Target, Text, account, renumbered, texts_of_model, texts_of_tree, with_files
from formats.nesting import UNCOUNTED, is_within
from formats.opening import Opened, open_document
from formats.paths import Node, prefixed
from formats.profiles import IDENTIFIERS, ONCE, Profile, carries, profile_of
from formats.rendering.appearance import PLAIN, Appearance
from formats.rendering.remarks import Remark
from formats.rendering.render import drawn
from formats.syntax import DIALECTS, Syntax, draft, read_node, syntax_of, ubl_syntax_of

SUBTYPE = "EXT-FR-FE-163"
TARGETS = ("ubl", "cii", "factur-x", "json")


@dataclass(frozen=True, slots=True)
class Conversion:
    """What became of a document."""

    document: bytes
    syntax: Syntax
    loss: LossReport
    remarks: tuple[Remark, ...] = ()
    """On the pages, where they were drawn here."""


@dataclass(frozen=True, slots=True)
class Source:
    """A document that was read, with what each of its texts means."""

    opened: Opened
    invoice: Invoice
    texts: Iterator[Text]


def convert(
    document: bytes, to: str, *, profile: str | None = None, pdf: bytes | None = None, lang: str = "fr",
    made_at: datetime, appearance: Appearance = PLAIN,
) -> Conversion:
    """Convert UBL, CII, Factur-X or our JSON `to` ubl, cii, factur-x or json.

    `profile` sets BT-24 and leaves out what that profile does not carry; without it BT-24 stays as it is. A
    Factur-X is embedded into `pdf`, else into the source's own pages, else into pages drawn in `lang` with this
    `appearance`. `made_at` is aware and goes into the PDF's metadata. No rule is checked and no amount computed,
    but for the fillers that the report lists.

    Raises:
        UnknownSyntax: the source is no invoice, or `to` is none of the four.
        CannotWrite: the target cannot be written; or `profile` names none that has a BT-24 of its own.
        Others of the FormatError family: the source cannot be read, see opening.
    """
    if to not in TARGETS:
        raise UnknownSyntax(f"{to!r} is not one of {', '.join(TARGETS)}")
    source = _read_source(document)
    wanted = _profile(profile)
    level = wanted or (Profile.EN16931 if source.opened.profile is Profile.UNKNOWN else source.opened.profile)
    limit = level if to == "factur-x" else wanted  # a Factur-X obeys the schema of the profile that it names
    invoice = source.invoice if wanted is None else _named(source.invoice, wanted)
    narrowed = _narrowed(invoice, source.opened.syntax, to, limit)
    invoice = narrowed.invoice
    syntax = {"ubl": ubl_syntax_of(invoice), "json": Syntax.JSON}.get(to, Syntax.CII)
    made = _made(invoice, syntax)
    lost = [] if invoice == made.again else terms.lost(invoice, made.again)
    replaces = invoice.specification_identifier != source.invoice.specification_identifier
    loss = account(
        renumbered(source.texts, narrowed.kept), source.invoice, made.target, lost=lost, profile=limit,
        fillers=made.fillers, replaces=replaces,
    )
    written = made.document()
    if to != "factur-x":
        return Conversion(written, syntax, _with_attachments(loss, source.opened))
    own_pages = document if source.opened.attachment is not None else None
    words = facturx.Words(
        profile=level.value, title=_title(invoice, lang),
        author=invoice.seller.name or "", subject=_title(invoice, lang), lang=lang,
    )
    given = own_pages if pdf is None else pdf
    if given is None:
        pages = drawn(invoice, lang=lang, appearance=appearance)
        document = facturx.embed(pages.pdf, written, made_at=made_at, **words)
        return Conversion(document, Syntax.FACTUR_X, _with_attachments(loss, source.opened), pages.remarks)
    embedded = facturx.embed_repaired(given, written, made_at=made_at, **words)
    loss = replace(loss, pdf_changes=embedded.changes)
    loss = loss if pdf is None else _with_attachments(loss, source.opened)
    return Conversion(embedded.document, Syntax.FACTUR_X, loss)


def _read_source(document: bytes) -> Source:
    opened = open_document(document)
    if opened.syntax is Syntax.JSON:
        invoice = read_json(opened.payload)
        return Source(opened, invoice, texts_of_model(invoice))
    if opened.root is None:
        raise NothingInside("the PDF has no invoice inside")
    if opened.syntax not in {*DIALECTS, Syntax.FACTUR_X}:
        raise UnknownSyntax(f"{opened.syntax.value} ({prefixed(str(opened.root.tag))[:200]}) is not converted")
    node, syntax = Node(opened.root, None), syntax_of(opened.root)
    opened = replace(opened, root=None)  # the tree is not needed again, and may hold a large attachment
    invoice = read_node(node, syntax)
    return Source(opened, invoice, texts_of_tree(node, DIALECTS[syntax].schema))


@dataclass(frozen=True, slots=True)
class Made:
    """What was written, and what anybody would read in it: the proof of what was carried."""

    document: Callable[[], bytes]
    target: Target
    again: Invoice
    fillers: tuple[str, ...] = ()


def _made(invoice: Invoice, syntax: Syntax) -> Made:
    """Written and read again: JSON from its bytes, XML from its tree, before an attachment is in it a second time."""
    if syntax is Syntax.JSON:
        written = write_json(invoice)
        again = read_json(written)
        return Made(lambda: written, Target.of(texts_of_model(again)), again)
    tree = draft(invoice, syntax)
    node = Node(tree.root, None)
    again = read_node(node, syntax, tree.files)
    return Made(lambda: as_bytes(tree), Target.of(texts_of_tree(node, DIALECTS[syntax].schema)), again, tree.fillers)


def _profile(name: str | None) -> Profile | None:
    if name is None:
        return None
    if name not in {profile.value for profile in IDENTIFIERS}:
        raise CannotWrite(f"{name!r} is no profile that can be asked for")
    return Profile(name)


def _named(invoice: Invoice, profile: Profile) -> Invoice:
    if profile_of(invoice.specification_identifier) is profile:
        return invoice
    return replace(invoice, specification_identifier=IDENTIFIERS[profile])


def _narrowed(invoice: Invoice, source: Syntax, to: str, limit: Profile | None) -> terms.Narrowed:
    """What the target holds. Where it has no subtype of lines (EXT-FR-FE-163), every line would count in its sums.

    So a line that counts in none is left out. Where no profile limits the terms, only what a UBL that is no French
    extension has within a line: CII would have it beside that line.
    """
    if limit is not None:
        return terms.only(
            invoice, lambda term: carries(limit, term), ONCE.get(limit, frozenset()),
            without=(lambda _: False) if carries(limit, SUBTYPE) else _is_uncounted,
        )
    named = carries(profile_of(invoice.specification_identifier), SUBTYPE)
    if to == "cii" and source is not Syntax.CII and not named and any(map(is_within, invoice.lines)):
        return terms.only(invoice, lambda _: True, without=is_within)
    return terms.Narrowed(invoice, {})


def _is_uncounted(line: Line) -> bool:
    return line.subtype in UNCOUNTED


def _with_attachments(loss: LossReport, opened: Opened) -> LossReport:
    """Into XML, JSON or another PDF the files beside the invoice do not go."""
    others = opened.attachment.others if opened.attachment is not None else ()
    return with_files(loss, (one.filename or "" for one in others))


def _title(invoice: Invoice, lang: str) -> str:
    kind = FRENCH_TYPES.get(invoice.type_code or "", FRENCH_TYPES["380"])
    return f"{kind.en if lang == 'en' else kind.fr} {invoice.number or ''}".strip()

