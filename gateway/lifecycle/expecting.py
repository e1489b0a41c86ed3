"""What is expected next on an invoice, and of whom: one sentence per state. Pure data and a look-up."""

from dataclasses import dataclass

from formats.codes import Label
from gateway.lifecycle.derive import State

WE, BUYER, OUR_PLATFORM, THEIR_PLATFORM, NOBODY = "seller", "buyer", "issuer-platform", "recipient-platform", "nobody"


@dataclass(frozen=True, slots=True)
class Expected:
    """Who is to move, and how."""

    by: str
    words: Label


def _by(who: str, fr: str, en: str) -> Expected:
    return Expected(who, Label(fr, en))


DEPOSIT = _by(OUR_PLATFORM, "Votre plateforme doit la déclarer déposée (200) ou la rejeter (213).",
              "Your platform is to say deposited (200) or rejected (213).")
ANOTHER_WAY = _by(WE, "Le destinataire n'a pas de plateforme joignable : remettez-lui la facture par un autre moyen.",
                  "The recipient has no platform that can be reached: deliver the invoice another way.")
PAID = _by(NOBODY, "Plus rien : la facture est encaissée.", "Nothing more: the invoice is paid.")
NEXT: dict[str, Expected] = {
    "200": _by(THEIR_PLATFORM, "La plateforme de l'acheteur doit recevoir la facture (202) ou la rejeter (213).",
               "The buyer's platform is to receive the invoice (202) or reject it (213)."),
    "202": _by(THEIR_PLATFORM, "La plateforme de l'acheteur doit mettre la facture à disposition (203).",
               "The buyer's platform is to make the invoice available (203)."),
    "203": _by(BUYER, "L'acheteur doit prendre la facture en charge (204), l'approuver (205) ou la refuser (210).",
               "The buyer is to take the invoice in hand (204), approve (205) or refuse it (210)."),
    "204": _by(BUYER, "L'acheteur doit approuver (205), contester (207) ou refuser (210) la facture.",
               "The buyer is to approve (205), dispute (207) or refuse (210) the invoice."),
    "205": _by(BUYER, "L'acheteur doit payer.", "The buyer is to pay."),
    "206": _by(WE, "L'acheteur n'approuve qu'une partie : émettez un avoir du reste, ou entendez-vous avec lui.",
               "The buyer approves a part only: send a credit note of the rest, or agree with the buyer."),
    "207": _by(WE, "L'acheteur conteste : répondez-lui ; il approuvera (205) ou refusera (210) ensuite.",
               "The buyer disputes: answer; approval (205) or refusal (210) follows."),
    "208": _by(WE, "L'acheteur attend des pièces : fournissez-les, puis posez le statut « Complétée » (209).",
               "The buyer waits for documents: give them, then set status 209 (completed)."),
    "209": _by(BUYER, "L'acheteur doit approuver (205) ou refuser (210) la facture complétée.",
               "The buyer is to approve (205) or refuse (210) the completed invoice."),
    "210": _by(WE, "L'acheteur refuse : annulez la facture dans vos livres par un avoir interne, qui ne part pas.",
               "The buyer refuses: cancel the invoice in your books by an internal credit note that is not sent."),
    "211": _by(WE, "Un paiement est annoncé : enregistrez-le quand il arrive.",
               "A payment is announced: record it when it comes."),
    "212": _by(BUYER, "L'acheteur doit payer le reste.", "The buyer is to pay the rest."),
    "213": _by(WE, "La facture est rejetée : corrigez-la et envoyez-la de nouveau.",
               "The invoice is rejected: correct it and send it again."),
    "220": _by(NOBODY, "Plus rien : la facture est annulée.", "Nothing more: the invoice is cancelled."),
    "221": _by(OUR_PLATFORM, "Les plateformes doivent corriger le routage.", "The platforms are to mend the routing."),
}
NEXT |= {"201": NEXT["200"], "214": NEXT["204"]}


def expected(state: State, *, not_passed_on: bool = False) -> Expected:
    """What is expected in this state of a deposited invoice; `not_passed_on`: its 200 said NON_TRANSMISE."""
    if state.ended is None and state.paid_in_full:
        return PAID
    if not_passed_on and state.code in {"200", "201"}:
        return ANOTHER_WAY
    return NEXT.get(state.code or "", DEPOSIT)
