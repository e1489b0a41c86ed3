"""Why a reminder goes out or does not: one sentence per code, for people. The code is for programs."""

from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Final

from babel.dates import format_date
from babel.numbers import format_currency

REASONS: Final = {
    # goes out
    "due": "L'étape est arrivée à sa date, le {on}, et {balance} restent à payer.",
    "thanks": "La facture est entièrement payée.",
    # nothing more comes
    "credit-note": "Un avoir ne se relance pas.",
    "nothing-due": "La facture ne demandait aucun paiement.",
    "no-due-date": "La facture n'a pas de date d'échéance (BT-9).",
    "status-210": "Refusée par l'acheteur (210) le {on}.",
    "status-213": "Rejetée par une plateforme (213) le {on}.",
    "status-220": "Annulée (220) le {on}.",
    "refused-by-us": "La facture n'est pas partie : elle a été refusée à la validation.",
    "corrected": "Remplacée par la facture rectificative {number}.",
    "replaced": "Cet envoi n'est plus en cours : il a été refusé, rejeté ou remplacé.",
    "paid": "La facture est soldée.",
    "credited": "La facture est soldée par avoir.",
    "small-balance": "Le solde de {balance} est inférieur au seuil de relance.",
    "finished": "Toutes les étapes du scénario sont passées : la suite revient à une personne.",
    # not today
    "status-206": "Approuvée partiellement (206) le {on} : la partie contestée attend une réponse.",
    "status-207": "En litige (207) depuis le {on} : une approbation (205) lèvera l'arrêt.",
    "status-208": "Suspendue (208) depuis le {on} : un complément (209) ou une approbation (205) lèvera l'arrêt.",
    "status-225": "Affacturée (225) le {on} : c'est au factor de relancer.",
    "payment-announced": "Paiement transmis (211) le {on} : relance en pause jusqu'au {last_day} inclus.",
    "cashed-unrecorded": "Encaissée (212) le {on}, mais ce paiement n'est pas enregistré ici : saisissez-le.",
    "payment-to-confirm": "{amount} reçus en banque le {on} règlent sans doute la facture {number} : confirmez ou "
    "écartez ce mouvement, page Banque. / {amount_en} that came in on {on_en} probably pays invoice {number}: confirm "
    "it or set it aside, page Bank.",
    "hold-promise": "Promesse de paiement{until_text} : {text}",
    "hold-plan": "Échéancier en cours{until_text} : {text}",
    "hold-dispute": "Litige signalé{until_text} : {text}",
    "hold-insolvency": "Procédure collective{until_text} : {text}",
    "hold-manual": "Relances suspendues par une personne{until_text} : {text}",
    "hold-missing": "Le client dit qu'il lui manque quelque chose : {text}",
    "hold-contact": "Le destinataire dit ne pas être le bon contact : {text}",
    "approval-large": "Le solde de {balance} demande l'accord d'une personne avant cette étape.",
    "approval-watched": "Ce client est suivi de près : une personne doit approuver cette étape.",
    "approval-stage": "Cette étape attend l'accord d'une personne.",
    "shared-credit": "L'avoir {number} ne s'impute pas de façon sûre (plusieurs factures ou autre devise) : "
    "enregistrez la part qui revient à cette facture.",
    "paid-before": "La facture {number}, que celle-ci remplace, a été payée : annulez-y l'encaissement et enregistrez "
    "ici la part qui revient à celle-ci, ou enregistrez le remboursement.",
    "not-yet": "Première étape le {until}.",
    "waiting": "Étape déjà envoyée ou dépassée ; la suivante est prévue le {until}.",
    "not-deposited": "La facture n'est pas déposée sur la plateforme (état : {transmission}).",
    "entity-off": "L'entité légale n'est pas activée.",
    "closed-day": "Jour non ouvré : envoi reporté au {until}.",
    "too-close": "La relance précédente date de moins de {gap} jours : envoi reporté au {until}.",
    "no-address": "Pas d'adresse : aucune adresse électronique de contact n'est connue pour l'acheteur.",
    "bad-address": "L'adresse {email} n'est pas valable.",
    "no-phone": "Pas de numéro : personne n'a enregistré de numéro de SMS pour ce client.",
    "refused-phone": "Le numéro {phone} n'a pas accepté de SMS ; indiquez-en un autre.",
    "no-texting": "Aucun canal n'est réglé pour les SMS aux clients.",
    "refused-address": "Le serveur de messagerie a refusé l'adresse {email} ; indiquez-en une autre.",
}

TITLES: Final = {
    "credit-note": "avoir", "nothing-due": "rien à payer", "no-due-date": "sans date d'échéance",
    "status-210": "refusée par l'acheteur (210)", "status-213": "rejetée (213)", "status-220": "annulée (220)",
    "corrected": "remplacée par une rectificative", "replaced": "envoi remplacé ou refusé", "paid": "payée",
    "credited": "soldée par avoir", "small-balance": "solde trop petit", "finished": "scénario terminé",
    "status-206": "approuvée partiellement (206)", "status-207": "en litige (207)", "status-208": "suspendue (208)",
    "status-225": "affacturée (225)", "payment-announced": "paiement transmis (211)",
    "cashed-unrecorded": "encaissée (212) sans paiement saisi", "payment-to-confirm": "paiement à confirmer en banque",
    "hold-promise": "promesse de paiement",
    "hold-plan": "échéancier", "hold-dispute": "litige signalé", "hold-insolvency": "procédure collective",
    "hold-manual": "suspendue par une personne", "hold-missing": "pièce demandée par le client",
    "hold-contact": "contact à vérifier", "approval-large": "grand solde : accord demandé",
    "approval-watched": "client suivi : accord demandé", "approval-stage": "étape soumise à accord",
    "shared-credit": "avoir à répartir", "paid-before": "facture remplacée déjà payée",
    "not-yet": "pas encore", "waiting": "étape suivante à venir",
    "not-deposited": "pas encore déposée", "entity-off": "entité non activée", "closed-day": "jour non ouvré",
    "too-close": "relance précédente trop proche", "no-address": "pas d'adresse", "bad-address": "adresse invalide",
    "refused-address": "adresse refusée", "no-phone": "pas de numéro", "refused-phone": "numéro refusé",
    "no-texting": "SMS non réglés", "refused-by-us": "refusée à la validation",
}
"""A reason against a letter in a few words, for counts."""

TRANSMISSION: Final = {
    "queued": "en attente d'envoi",
    "held": "retenue jusqu'à ce que l'acheteur soit joignable",
    "sending": "envoi en cours",
    "unknown": "réponse de la plateforme incertaine",
    "failed": "échec",
    "parked": "en attente d'une décision",
}


def sentence(code: str, **values: object) -> str:
    """The sentence of a code, with dates and amounts in words. Amounts are (Decimal, currency) pairs."""
    return REASONS[code].format(**{name: _words(value) for name, value in values.items()})


def title_of(code: str) -> str:
    """A code in a few words; the code itself where there are none."""
    return TITLES.get(code, code)


@lru_cache(4096)
def day_words(day: date, lang: str = "fr") -> str:
    """A date for a list: `21 nov. 2026`."""
    return format_date(day, "d MMM y", locale=lang)


@lru_cache(4096)
def amount_words(amount: Decimal, currency: str, lang: str = "fr") -> str:
    """An amount with its currency: `1 234,56 €`."""
    return format_currency(amount, currency, locale=lang)


def _words(value: object) -> str:
    match value:
        case date():
            return day_words(value)
        case (Decimal() as amount, str() as currency):
            return amount_words(amount, currency)
        case _:
            return str(value)
