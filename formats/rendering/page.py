"""What the page says: an Invoice as texts in reading order, ready for the template.

Every term that the model carries appears somewhere; an absent one leaves no trace. Nothing is computed.
Source: a readable form must show all structured data (FNFE note on the French formats, 2026-06-30).
"""

from datetime import date
from decimal import Decimal
from hashlib import sha256
from textwrap import shorten

from formats.codes import (
    CORRECTIVE_TYPES,
    CREDIT_TYPES,
    FACTORED_TYPES,
    FRAMES,
    FRENCH_TYPES,
    OTHER_CREDIT_TYPES,
    SELF_BILLED_TYPES,
)
from formats.invoice import (
    Attachment,
    CashDiscount,
    CurrencyExchange,
    Invoice,
    PaymentInstructions,
    PrecedingInvoice,
    SupportingDocument,
    VatBreakdown,
)
from formats.rendering import figures
from formats.rendering.line_details import reason_of, signed
from formats.rendering.lines import line_table
from formats.rendering.others import undesigned
from formats.rendering.parties import delivery_terms, parties, party, recipient
from formats.rendering.phrases import Json, Pair, coded, filled, joined, label, note_title, span, with_scheme, word
from formats.rendering.words import DOCUMENT_CODES, MEANS, UNITS, VAT_WORDS, WORDS

REFERENCES = (
    "buyer_reference", "project_reference", "sales_order_reference", "receiving_advice_reference",
    "tender_or_lot_reference", "buyer_accounting_reference",
)
PAGE_WORDS = (
    "page", "line", "item", "quantity", "unit_price", "vat", "net_amount", "adjustments", "reason", "base",
    "vat_breakdown", "vat_rate", "vat_base", "vat_amount", "payment", "terms", "notes", "documents", "others", "scan",
    "carried_forward", "brought_forward",
)
MACHINE_NOTES = ("BAR",)
"""Notes with a code for machines: shown among the references."""


def page(invoice: Invoice, lang: str) -> Json:
    """Everything on the page, as texts in `lang` ("fr" or "en")."""
    title = title_of(invoice, lang)
    return {
        "lang": lang,
        "title": title,
        "document_title": joined(title, invoice.number, by=" "),
        "running_head": [shorten(text, 70, placeholder=" …") for text in (
            invoice.seller.trading_name or invoice.seller.name or "", joined(title, invoice.number, by=" "))],
        "subtitles": subtitles(invoice, lang),
        "number": invoice.number or "",
        "number_word": word("number", lang),
        "seller": invoice.seller.trading_name or invoice.seller.name or "",
        "sender": party("seller", invoice.seller, lang),
        "recipient": recipient(invoice.buyer, lang),
        "facts": facts(invoice, lang),
        "due": due(invoice, lang),
        "parties": parties(invoice, lang),
        "references": references(invoice, lang),
        **line_table(invoice.lines, lang),
        "adjustments": adjustments(invoice, lang),
        "vat": [vat_row(one, lang) for one in invoice.vat_breakdown],
        "totals": totals(invoice, lang),
        "payment": payment(invoice, lang),
        "terms": invoice.payment_terms or "",
        "notes": notes(invoice, lang),
        "documents": [document(one, lang) for one in invoice.supporting_documents],
        "others": undesigned(invoice),
        "footer": footer(invoice, lang),
        "words": {name: word(name, lang) for name in PAGE_WORDS},
    }


def title_of(invoice: Invoice, lang: str) -> str:
    """The name of the document by BT-3."""
    code = invoice.type_code
    if code in FRENCH_TYPES:
        return label(FRENCH_TYPES[code], lang)
    base = label(FRENCH_TYPES["381" if code in OTHER_CREDIT_TYPES else "380"], lang)
    return f"{base} ({code})" if code else base


def is_credit(invoice: Invoice) -> bool:
    """Whether the seller owes the amount."""
    return invoice.type_code in CREDIT_TYPES | OTHER_CREDIT_TYPES


def subtitles(invoice: Invoice, lang: str) -> list[str]:
    """What the kind of document entails, under the title: what it corrects, who made it, whom to pay."""
    code, before = invoice.type_code or "", invoice.preceding_invoices
    about = "on_invoice" if is_credit(invoice) else "corrects" if code in CORRECTIVE_TYPES else "after_invoice"
    told = [joined(word(about, lang), preceding(one, lang), by=" ") for one in before] if len(before) < 3 else []
    payee = invoice.payee.name if invoice.payee else None
    return [text for text in (
        *told,
        word("self_billed", lang) if code in SELF_BILLED_TYPES else "",  # a duty: CGI ann. II art. 242 nonies A, I 14
        f"{word('factored', lang)} {payee}" if code in FACTORED_TYPES and payee else "",
    ) if text]


def preceding(one: PrecedingInvoice, lang: str) -> str:
    """An earlier invoice: number and date."""
    kind = "" if one.type_code is None else f" ({coded(FRENCH_TYPES, one.type_code, lang)})"
    return joined(one.number, figures.short_date(one.issue_date, lang), by=f" {word('preceding_of', lang)} ") + kind


def dated(text: str | None, day: date | None, lang: str, *more: str | None) -> str:
    """A reference with the day of what it refers to."""
    return joined(joined(text, figures.short_date(day, lang), by=f" {word('preceding_of', lang)} "), *more)


def facts(invoice: Invoice, lang: str) -> list[tuple[str, str, bool]]:
    """The few dates that everybody looks for; the one by which to pay stands out."""
    delivered = invoice.delivery.actual_date if invoice.delivery else None
    return [(name, text, strong) for name, text, strong in (
        (word("issued", lang), figures.long_date(invoice.issue_date, lang), False),
        (word("delivery_date", lang), figures.long_date(delivered, lang), False),
        (word("due_date", lang), figures.long_date(invoice.due_date, lang), True),
    ) if text]


def due(invoice: Invoice, lang: str) -> Pair:
    """What is to be paid."""
    amount = figures.money(invoice.totals.due, invoice.currency, lang)
    return word("due_credit" if is_credit(invoice) else "due", lang), amount


def references(invoice: Invoice, lang: str) -> list[Pair]:
    """Every reference, and how VAT is accounted."""
    point = f"tax_point_{invoice.tax_point_date_code}"
    frame = coded(FRAMES, invoice.business_process, lang)
    note, rate = invoice.delivery_note, invoice.currency_exchange
    return filled([
        (word("document_name", lang), invoice.document_name),
        *((word("preceding_invoice", lang), preceding(one, lang)) for one in invoice.preceding_invoices),
        (word("invoicing_period", lang), span(invoice.invoicing_period, lang)),
        *((word(name, lang), getattr(invoice, name)) for name in REFERENCES),
        (word("purchase_order_reference", lang),
         dated(invoice.purchase_order_reference, invoice.purchase_order_date, lang)),
        (word("contract_reference", lang),
         dated(invoice.contract_reference, invoice.contract_date, lang, invoice.contract_type)),
        (word("despatch_advice_reference", lang),
         dated(invoice.despatch_advice_reference, invoice.despatch_advice_date, lang)),
        *([(word("delivery_note", lang), dated(note.number, note.issue_date, lang))] if note else []),
        *((word("invoiced_object", lang), with_scheme(one, lang)) for one in invoice.invoiced_objects),
        (word("delivery_terms", lang), delivery_terms(invoice.delivery_terms)),
        (word("frame" if invoice.business_process in FRAMES else "process", lang),
         f"{frame} ({invoice.business_process})" if invoice.business_process in FRAMES else frame),
        (word("tax_point", lang), joined(
            figures.short_date(invoice.tax_point_date, lang),
            word(point, lang) if point in WORDS else invoice.tax_point_date_code)),
        *((note_title(note, lang), note.text) for note in invoice.notes if note.subject_code in MACHINE_NOTES),
        (word("currency", lang), invoice.currency),
        (word("vat_currency", lang), invoice.vat_currency),
        *([(word("currency_exchange", lang), exchange(rate, lang))] if rate else []),
    ])


def exchange(rate: CurrencyExchange, lang: str) -> str:
    """A rate of two currencies, and its day."""
    equal = f"1 {rate.source} = {figures.number(rate.rate, lang)} {rate.target}".replace(" ", figures.NO_BREAK)
    return joined(equal, figures.short_date(rate.day, lang))


def adjustments(invoice: Invoice, lang: str) -> list[list[str]]:
    """Document allowances and charges: kind and reason, base, rate, VAT, amount."""
    rows = [("allowance", one) for one in invoice.allowances] + [("charge", one) for one in invoice.charges]
    return [
        [
            joined(word(kind, lang), reason_of(one, lang)),
            joined(figures.percent(one.percentage, lang), figures.amount(one.base_amount, lang),
                   by=f" {word('of_base', lang)} "),
            joined(None if one.vat_category == "S" and one.vat_rate is not None else one.vat_category,
                   figures.percent(one.vat_rate, lang), by=" "),
            signed(kind, one.amount, lang).removeprefix("+"),
        ]
        for kind, one in rows
    ]


def vat_row(one: VatBreakdown, lang: str) -> Json:
    """One rate of the VAT breakdown, with the reason where there is one."""
    category = coded(VAT_WORDS, one.category, lang)
    code = f"({one.category})" if one.category and one.category != category else ""
    return {
        "rate": figures.percent(one.rate, lang),
        "kind": joined(category, code, by=" "),
        "base": figures.amount(one.taxable_amount, lang),
        "tax": figures.amount(one.tax_amount, lang),
        "reason": joined(one.exemption_reason, one.exemption_reason_code),
    }


def totals(invoice: Invoice, lang: str) -> list[list[str]]:
    """The sums as the seller states them: label, amount, weight ("strong" or "")."""
    sums, currency = invoice.totals, invoice.currency
    in_vat_currency = f"{word('vat_in', lang)} {invoice.vat_currency or ''}"
    rows = [
        (word("lines_net", lang), sums.lines_net, ""),
        (word("allowances", lang), None if sums.allowances is None else sums.allowances.copy_negate(), ""),
        (word("charges", lang), sums.charges, ""),
        (word("without_vat", lang), sums.without_vat, "strong"),
        (word("vat_total", lang), sums.vat, ""),
        (in_vat_currency, sums.vat_in_accounting_currency, "other"),
        (word("with_vat", lang), sums.with_vat, "strong"),
        (word("paid", lang), None if sums.paid is None else sums.paid.copy_negate(), ""),
        (word("rounding", lang), sums.rounding, ""),
        (due(invoice, lang)[0], sums.due, "due"),
    ]
    return [
        [name, figures.money(value, invoice.vat_currency if weight == "other" else currency, lang), weight]
        for name, value, weight in rows if value is not None
    ]


def payment(invoice: Invoice, lang: str) -> list[Pair]:
    """How to pay."""
    how = invoice.payment or PaymentInstructions()
    card, debit = how.card, how.direct_debit
    accounts = [pair for one in how.credit_transfers for pair in (
        (word("account" if looks_like_iban(one.account) else "other_account", lang), figures.iban(one.account or "")),
        (word("bic", lang), one.service_provider),
        (word("account_name", lang), one.account_name))]
    means = joined(coded(MEANS, how.means_code, lang), how.means_text)
    return filled([
        (word("means", lang), means),
        *accounts,
        (word("remittance", lang), how.remittance_information),
        *((word("other_due" if one.percentage is None else "cash_discount", lang), cash_discount(one, lang))
          for one in invoice.cash_discounts),
        *((word("third_party_payment", lang),
           joined(one.description, one.type, figures.money(one.amount, invoice.currency, lang)))
          for one in invoice.third_party_payments),
        *([(word("card", lang), card.account_number), (word("card_holder", lang), card.holder_name)] if card else []),
        *([(word("mandate", lang), debit.mandate), (word("creditor", lang), debit.creditor),
           (word("debited_account", lang), figures.iban(debit.debited_account or ""))] if debit else []),
    ])


def cash_discount(one: CashDiscount, lang: str) -> str:
    """What may be deducted, of what, and until when."""
    period = "" if one.period is None else figures.number(one.period, lang)
    share = joined(figures.percent(one.percentage, lang), figures.amount(one.basis_amount, lang),
                   by=f" {word('of_base', lang)} ")
    length = joined(period, coded(UNITS, one.period_unit, lang), by=figures.NO_BREAK)
    return joined(
        f"{word('until_day', lang)} {figures.short_date(one.due_date, lang)}" if one.due_date else None,
        share, figures.amount(one.amount, lang), length and f"{word('within', lang)} {length}",
        f"{word('from_day', lang)} {figures.short_date(one.start, lang)}" if one.start else None)


def looks_like_iban(account: str | None) -> bool:
    """Whether an account number begins as an IBAN does; nothing else is checked."""
    return account is not None and account[:2].isalpha() and account[2:4].isdigit()


def notes(invoice: Invoice, lang: str) -> list[Pair]:
    """Notes for people under their titles."""
    return [(note_title(note, lang), note.text or "") for note in invoice.notes
            if note.subject_code not in MACHINE_NOTES]


def document(one: SupportingDocument, lang: str) -> list[str]:
    """A supporting document: reference, description, where it is."""
    file = one.attachment
    return [one.reference or "", coded(DOCUMENT_CODES, one.description, lang),
            joined(*(attached(file, lang) if file else ()), one.location)]


def attached(file: Attachment, lang: str) -> tuple[str | None, ...]:
    """A file that travels with the invoice: name, kind, size and the beginning of its hash."""
    size = figures.number(Decimal(len(file.content)), lang)
    digest = sha256(file.content).hexdigest()[:16]
    return file.filename, file.mime_code, f"{size}{figures.NO_BREAK}{word('bytes', lang)}", f"SHA-256 {digest}…"


def footer(invoice: Invoice, lang: str) -> list[str]:
    """Who stands behind the invoice, and what this page is; shortened, since all of it stands above too."""
    seller = invoice.seller
    siren = seller.siren
    return [shorten(text, 280, placeholder=" …") for text in (
        joined(seller.name, seller.additional_legal_information, siren and f"SIREN {figures.siren(siren)}",
               seller.vat_identifier and f"{word('vat_number', lang)} {seller.vat_identifier}"),
        joined(word("readable", lang), invoice.specification_identifier),
    ) if text]
