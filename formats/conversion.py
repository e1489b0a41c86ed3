"""One document in, the same invoice in another syntax out, with an account of every text of the source."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from formats import facturx, terms
from formats.codes import FRENCH_TYPES
from formats.errors import CannotWrite, NothingInside, UnknownSyntax
from formats.invoice import Invoice
from formats.json_form import read_json
from formats.opening import Opened, open_document
from formats.paths import Node, leaves, location, prefixed
from formats.profiles import CARRIED, IDENTIFIERS, Profile, carries, profile_of
from formats.rendering.render import draw
from formats.syntax import DIALECTS, Syntax, read, read_node, syntax_of, ubl_syntax_of, write_with_fillers
from formats.values import decimal_text

TARGETS = ("ubl", "cii", "factur-x", "json")
MAX_SHOWN = 200

NO_TERM = "no-term"
"""EN 16931 has no term for it, or the term is there once already with another text."""
NOT_IN_PROFILE = "not-in-profile"
"""The profile asked for has no place for the term."""
NOT_IN_TARGET = "not-in-target"
"""Written and read again, the target says something else: the two syntaxes cannot express it alike."""
ATTACHMENT = "attachment"
"""A file attached to the PDF beside the invoice; it is no part of the XML."""


@dataclass(frozen=True, slots=True)
class Carried:
    """A text of the source that is in the target."""

    location: str
    term: str


@dataclass(frozen=True, slots=True)
class NotCarried:
    """A text of the source that is not in the target, and why: one of the constants above."""

    location: str
    text: str
    reason: str
    term: str | None = None


@dataclass(frozen=True, slots=True)
class LossReport:
    """Every text and attribute of the source, carried or not, and what the target has beyond it."""

    carried: tuple[Carried, ...]
    not_carried: tuple[NotCarried, ...]
    fillers: tuple[str, ...]
    """Locations in the target of values that its schema demands and the source does not have."""

    def to_json(self) -> dict[str, Any]:
        """As an object of plain lists."""
        return {
            "carried": [{"location": one.location, "term": one.term} for one in self.carried],
            "not_carried": [
                {"location": one.location, "text": one.text, "reason": one.reason, "term": one.term}
                for one in self.not_carried
            ],
            "fillers": list(self.fillers),
        }


@dataclass(frozen=True, slots=True)
class Conversion:
    """What became of a document."""

    document: bytes
    syntax: Syntax
    loss: LossReport


@dataclass(frozen=True, slots=True)
class Source:
    """A document that was read, with what each of its texts means."""

    opened: Opened
    invoice: Invoice
    texts: tuple[tuple[str, str, str | None], ...]
    """Location, text, and the term that took it or None."""


def convert(
    document: bytes, to: str, *, profile: str | None = None, pdf: bytes | None = None, lang: str = "fr",
    made_at: datetime, logo: bytes | None = None,
) -> Conversion:
    """Convert UBL, CII, Factur-X or our JSON `to` ubl, cii, factur-x or json.

    `profile` sets BT-24 and leaves out what that profile does not carry; without it BT-24 stays as it is. A
    Factur-X is embedded into `pdf`, else into the source's own pages, else into pages drawn in `lang` with `logo`
    (PNG or JPEG). `made_at` is aware and goes into the PDF's metadata. No rule is checked and no amount computed,
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
    invoice = source.invoice if wanted is None else _in_profile(source.invoice, wanted)
    syntax = {"ubl": ubl_syntax_of(invoice), "json": Syntax.JSON}.get(to, Syntax.CII)
    written, fillers = write_with_fillers(invoice, syntax)
    loss = _account(source, invoice, read(written).invoice, wanted, fillers)
    if to != "factur-x":
        return Conversion(written, syntax, _with_attachments(loss, source.opened))
    own_pages = document if source.opened.attachment is not None else None
    pages = pdf or own_pages or draw(invoice, lang=lang, logo=logo)
    level = wanted or source.opened.profile
    made = facturx.embed(
        pages, written, profile=(Profile.EN16931 if level is Profile.UNKNOWN else level).value,
        title=_title(invoice, lang), author=invoice.seller.name or "", subject=_title(invoice, lang),
        made_at=made_at, lang=lang,
    )
    return Conversion(made, Syntax.FACTUR_X, loss if pages is own_pages else _with_attachments(loss, source.opened))


def _read_source(document: bytes) -> Source:
    opened = open_document(document)
    if opened.syntax is Syntax.JSON:
        invoice = read_json(opened.payload)
        texts = tuple((item.pointer, _shown(item.value), item.term) for item in terms.located(invoice))
        return Source(opened, invoice, texts)
    if opened.root is None:
        raise NothingInside("the PDF has no invoice inside")
    if opened.syntax not in {*DIALECTS, Syntax.FACTUR_X}:
        raise UnknownSyntax(f"{opened.syntax.value} ({prefixed(str(opened.root.tag))[:200]}) is not converted")
    node = Node(opened.root, None)
    invoice = read_node(node, syntax_of(opened.root))
    return Source(opened, invoice, tuple((location(at, name), text, term) for at, name, text, term in leaves(node)))


def _profile(name: str | None) -> Profile | None:
    if name is None:
        return None
    if name not in {profile.value for profile in IDENTIFIERS}:
        raise CannotWrite(f"{name!r} is no profile that can be asked for")
    return Profile(name)


def _in_profile(invoice: Invoice, profile: Profile) -> Invoice:
    if profile_of(invoice.specification_identifier) is not profile:
        invoice = replace(invoice, specification_identifier=IDENTIFIERS[profile])
    return terms.only(invoice, lambda term: carries(profile, term)) if profile in CARRIED else invoice


def _carried_by(profile: Profile | None, term: str) -> bool:
    """A group is carried where one of its terms is."""
    return profile is None or any(carries(profile, one) for one in terms.GROUPS.get(term, {term}))


def _account(
    source: Source, invoice: Invoice, again: Invoice, profile: Profile | None, fillers: tuple[str, ...],
) -> LossReport:
    carried, left = [], []
    for where, text, term in source.texts:
        if term is None:
            left.append(NotCarried(where, text[:MAX_SHOWN], NO_TERM))
        elif not _carried_by(profile, term):
            left.append(NotCarried(where, text[:MAX_SHOWN], NOT_IN_PROFILE, term))
        else:
            carried.append(Carried(where, term))
    changed = [
        NotCarried(item.pointer, _shown(item.value), NOT_IN_TARGET, item.term) for item in terms.lost(invoice, again)
    ]
    return LossReport(tuple(carried), (*left, *changed), fillers)


def _with_attachments(loss: LossReport, opened: Opened) -> LossReport:
    """Into XML, JSON or another PDF the files beside the invoice do not go."""
    others = opened.attachment.others if opened.attachment is not None else ()
    files = tuple(NotCarried(f"attachment:{one.filename}", "", ATTACHMENT) for one in others)
    return replace(loss, not_carried=(*loss.not_carried, *files))


def _title(invoice: Invoice, lang: str) -> str:
    kind = FRENCH_TYPES.get(invoice.type_code or "", FRENCH_TYPES["380"])
    return f"{kind.en if lang == 'en' else kind.fr} {invoice.number or ''}".strip()


def _shown(value: Any) -> str:
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    text = getattr(value, "value", value)
    return (decimal_text(text) if hasattr(text, "as_tuple") else str(text))[:MAX_SHOWN]
