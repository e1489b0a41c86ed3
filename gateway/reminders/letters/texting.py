"""The SMS of a reminder: who writes, what is owed, and a link that answers. Short, in letters that every phone has."""

import unicodedata
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from string import ascii_letters, digits
from typing import Final

from formats.invoice import Invoice
from gateway.deps import Deps
from gateway.reminders.letters.drafting import Drafted, language_of, read_invoice
from gateway.reminders.letters.letter import LANGUAGES
from gateway.reminders.letters.links import GOOD_DAYS, link_to
from gateway.reminders.reasons import amount_words, day_words
from gateway.reminders.scenario import SMS, THANKS
from gateway.reminders.state import Seen

GSM: Final = frozenset(f"@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà€\n{ascii_letters}{digits}")
"""The alphabet of GSM 03.38: any other letter makes a text more than twice as long to send."""

SPELT: Final = {"’": "'", "‘": "'", "“": '"', "”": '"', "«": '"', "»": '"', "œ": "oe", "Œ": "OE", "–": "-", "—": "-",
                "…": "..."}
"""What French writes and GSM lacks."""

WORDS: Final = {
    "fr": {"one": "{company} : facture {number}, échéance {day}, reste {balance}.",
           "many": "{company} : {count} factures, dont {number}, échéance {day}, reste {balance} en tout.",
           "ask": "Répondre : {link}", "thanks": "{company} : paiement reçu pour {number}. Merci."},
    "en": {"one": "{company}: invoice {number}, due {day}, open {balance}.",
           "many": "{company}: {count} invoices, {number} among them, due {day}, open {balance} in all.",
           "ask": "Answer: {link}", "thanks": "{company}: payment received for {number}. Thank you."},
}


def draft_text(deps: Deps, group: Sequence[Seen]) -> Drafted:
    """The SMS that these decisions about one client call for, in the language of its mails.

    The number is one that a person settled. Slow, never in a transaction.
    """
    seen = group[0]
    settled = seen.client is not None and seen.client.lang in LANGUAGES
    lang = language_of(Invoice() if settled else read_invoice(deps, seen), seen)
    words, due = WORDS[lang], seen.facts.due_date
    company = (seen.entity.name if seen.entity else seen.submission.seller_name) or ""
    balance = sum((one.facts.balance for one in group), Decimal(0))
    told = {"company": company[:40], "number": seen.facts.number, "count": len(group),
            "day": day_words(due, lang) if due else "", "balance": amount_words(balance, seen.facts.currency, lang)}
    if seen.decision.tone == THANKS:
        text = words["thanks"].format(**told)
    else:
        until = max(due or deps.today(), deps.today()) + timedelta(days=GOOD_DAYS)
        link = link_to(deps, seen, seen.facts.phone, until, lang)
        text = f"{words['many' if len(group) > 1 else 'one'].format(**told)} {words['ask'].format(link=link)}"
    text = for_phones(text)
    return Drafted(content=text.encode(), channel=SMS, recipient=seen.facts.phone or "", subject=text[:60], facts={
        "together": [one.facts.number for one in group]})


def for_phones(text: str) -> str:
    """The text in the alphabet of GSM: what it lacks loses its accent, or becomes a question mark."""
    return "".join(sign if sign in GSM else _plain(sign) for sign in text)


def _plain(sign: str) -> str:
    bare = unicodedata.normalize("NFKD", sign)[0]
    return SPELT.get(sign) or (" " if bare.isspace() else bare if bare in GSM else "?")
