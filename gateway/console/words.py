"""The words of the console: one French word for one thing. Data, and the look-ups on it.

A tone says how a state weighs: good, info, warn, bad or quiet. It chooses icon and colour, which never stand alone.
"""

import re
from dataclasses import dataclass

from formats.codes import FRENCH_TYPES, REASON_LABELS, STATUSES
from gateway.auth import ROLE_NAMES
from gateway.console.words_evidence import EVIDENCE, SAFE_REFUSED
from gateway.tables import Event, Submission
from gateway.tables_channels import Channel
from gateway.tables_webhooks import WebhookEndpoint


@dataclass(frozen=True, slots=True)
class Word:
    """What the reader sees for a code."""

    text: str
    tone: str = "quiet"


TRANSMISSION: dict[str, Word] = {
    "refused": Word("Non envoyée", "bad"),
    "queued": Word("En file d'envoi", "info"),
    "held": Word("Retenue : acheteur pas encore joignable", "warn"),
    "sending": Word("Envoi en cours", "info"),
    "unknown": Word("Envoi à vérifier", "warn"),
    "deposited": Word("Remise à la plateforme", "info"),
    "failed": Word("Échec de l'envoi", "bad"),
    "parked": Word("En attente d'une décision", "warn"),
}

LIFECYCLE_TONES: dict[str, str] = {
    "200": "info", "201": "info", "202": "info", "203": "info", "204": "info", "205": "good", "206": "warn",
    "207": "warn", "208": "warn", "209": "info", "210": "bad", "211": "good", "212": "good", "213": "bad",
    "214": "info", "220": "quiet", "221": "bad", "227": "warn", "251": "bad", "301": "bad", "501": "bad", "601": "bad",
}

OUR_CODE = re.compile(r"[a-z]+(-[a-z]+)+")
"""The shape of the codes of our problems."""

CLOSED = ("210", "213", "220")
"""Nothing is owed after these: refused by the buyer, rejected by a platform, cancelled."""

VERDICTS: dict[str, Word] = {
    "valid": Word("Conforme", "good"),
    "invalid": Word("Non conforme", "bad"),
    "error": Word("Contrôle inachevé", "warn"),
}
SEVERITIES: dict[str, Word] = {
    "fatal": Word("Bloquante", "bad"),
    "error": Word("Bloquante", "bad"),
    "warning": Word("Avertissement", "warn"),
    "info": Word("Information", "info"),
}
OUTCOMES: dict[str, Word] = {
    "passed": Word("Réussi", "good"),
    "failed": Word("Anomalies", "bad"),
    "error": Word("Inachevé", "warn"),
    "skipped": Word("Non effectué", "quiet"),
}
LAYERS: dict[str, str] = {
    "container": "Conteneur (PDF)", "pdfa": "PDF/A-3", "xsd": "Schéma XML", "en16931": "Norme EN 16931",
    "extended": "Profil étendu", "br-fr": "Règles françaises (BR-FR)", "mentions": "Mentions légales",
    "business": "Cohérence des données", "cdar": "Statut (CDAR)", "flux10": "E-reporting (flux 10)",
}
STANDING: dict[str, str] = {
    "in-force": "en vigueur", "coming": "à venir", "superseded": "remplacé", "past": "passé",
}
"""What a rule set is on a day."""

SYNTAXES: dict[str, str] = {
    "ubl-invoice": "UBL", "ubl-credit-note": "UBL (avoir)", "cii": "CII", "factur-x": "Factur-X", "json": "JSON",
    "cdar": "CDAR", "flux10": "Flux 10", "order-x": "Order-X", "zugferd1": "ZUGFeRD 1", "pdf": "PDF sans données",
    "report": "Rapport", "loss": "Bilan de conversion", "unknown": "Format inconnu",
}
PROFILES: dict[str, str] = {
    "minimum": "MINIMUM", "basicwl": "BASIC WL", "basic": "BASIC", "en16931": "EN 16931", "extended": "EXTENDED",
    "extended-ctc-fr": "EXTENDED-CTC-FR", "cius": "CIUS", "unknown": "inconnu",
}
ROLES = ROLE_NAMES
ROLE_HINTS: dict[str, str] = {
    "officer": "factures, journal d'audit et preuves", "credit": "paiements et relances",
    "operator": "file de travail, réglages et journal", "billing": "envoi de factures et paiements",
}
ENTITY_STATES: dict[bool, Word] = {True: Word("Activée", "good"), False: Word("Désactivée", "quiet")}
PERMISSIONS: dict[str, str] = {
    "invoices:write": "Envoyer des factures", "invoices:read": "Lire les factures",
    "payments:write": "Enregistrer des paiements", "events:read": "Lire les événements",
    "evidence:read": "Télécharger les preuves", "audit:read": "Lire le journal",
    "retention:write": "Geler et détruire", "queue:write": "Agir sur la file",
    "reminders:read": "Lire les relances", "reminders:write": "Agir sur les relances",
    "settings:write": "Modifier les réglages", "validate": "Valider et convertir",
}
DOCUMENT_ROLES: dict[str, str] = {
    "certificate": "Certificat de destruction", "payment": "Paiement enregistré", "claim": "Pénalité réclamée",
    "original": "Facture reçue du logiciel", "sent": "Facture envoyée", "report": "Rapport de contrôle",
    "loss": "Bilan de conversion", "receipt": "Récépissé de la plateforme", "status": "Message de statut",
    "reminder": "Lettre de relance", "readable": "Version lisible", "directory": "Réponse de l'annuaire",
    "duplicate": "Double remis par courriel", "acknowledgement": "Acquittement", "returned": "Avis de non-remise",
}
EXCHANGED = frozenset({"directory", "duplicate", "status", "receipt", "acknowledgement", "reminder", "returned"})
"""Roles of documents that tell of one event; the page of an invoice folds them away."""

OBJECTIONS: dict[str, str] = {
    "after-end": "la facture était déjà close", "not-theirs": "cet émetteur ne peut pas poser ce statut",
    "nothing-open": "aucune suspension n'était ouverte", "not-deposited": "la facture n'est pas déposée",
    "takes-back-too-much": "le montant repris dépasse l'encaissé",
}
"""Why a status is kept without changing anything."""

OWN_STATUSES: dict[str, tuple[str, str]] = {
    "209": ("Compléter la facture (209)",
            "L'acheteur apprend que vous avez répondu à sa suspension. Remettez-lui les pièces elles-mêmes avant."),
    "220": ("Annuler la facture (220)",
            "L'acheteur apprend que la facture est annulée. Aucun statut ne peut plus suivre et rien n'est plus dû."),
    "227": ("Annoncer un changement de compte (227)",
            "L'acheteur apprend sur quel compte payer. Il vérifiera sans doute auprès de vous : prévenez-le aussi."),
}
"""What a person may say as the seller: the act, and its consequence."""

TOLD: dict[str, Word] = {
    "sent": Word("212 transmise", "good"), "queued": Word("212 en file d'envoi", "info"),
    "held": Word("212 en attente d'une décision", "warn"), "refused": Word("212 refusée par la plateforme", "bad"),
    "given-up": Word("212 classée sans envoi", "quiet"), "not-due": Word("", "quiet"),
}
"""What became of the status 212 of a payment."""

KINDS: dict[str, str] = {
    "submission": "Envoi", "transmission": "Transmission", "lifecycle": "Statut", "payment": "Paiement",
    "reminder": "Relance", "access": "Accès", "setting": "Réglage", "evidence": "Preuve",
    "alarm": "Alarme",
}
EVENTS: dict[tuple[str, str], Word] = {
    ("submission", "accepted"): Word("Facture reçue et contrôlée", "good"),
    ("submission", "refused"): Word("Facture non conforme : rien n'est envoyé", "bad"),
    ("transmission", "sending"): Word("Envoi à la plateforme", "info"),
    ("transmission", "deposited"): Word("Remise à la plateforme", "good"),
    ("transmission", "unknown"): Word("Réponse de la plateforme perdue", "warn"),
    ("transmission", "queued"): Word("Nouvel essai prévu", "info"),
    ("transmission", "failed"): Word("Envoi refusé par la plateforme", "bad"),
    ("transmission", "held"): Word("Retenue : l'acheteur n'est pas encore joignable", "warn"),
    ("transmission", "sent-anyway"): Word("Envoi décidé malgré l'annuaire", "info"),
    ("transmission", "not-transmitted"): Word("Déposée, mais non transmise à l'acheteur", "warn"),
    ("transmission", "duplicate-sending"): Word("Double en cours d'envoi par courriel", "info"),
    ("transmission", "duplicate-sent"): Word("Double remis par courriel", "good"),
    ("transmission", "duplicate-unknown"): Word("Double parti ou non : à vérifier", "warn"),
    ("transmission", "duplicate-failed"): Word("Double non parti", "bad"),
    ("transmission", "parked"): Word("En attente d'une décision", "warn"),
    ("transmission", "acknowledged"): Word("Acquittée par la plateforme", "good"),
    ("transmission", "status-queued"): Word("Statut en file d'envoi", "info"),
    ("transmission", "status-acknowledged"): Word("Statut acquitté par la plateforme", "good"),
    ("transmission", "duplicate-refused"): Word("Doublon écarté par la plateforme", "quiet"),
    ("transmission", "status-refused"): Word("Statut refusé par la plateforme", "bad"),
    ("transmission", "filed-otherwise"): Word("Classement par la plateforme", "warn"),
    ("transmission", "status-due"): Word("Statut obligatoire pas encore transmis", "warn"),
    ("transmission", "status-late"): Word("Délai de 24 heures dépassé pour un statut", "bad"),
    ("transmission", "retried"): Word("Envoi relancé", "info"),
    ("transmission", "closed"): Word("Flux classé", "quiet"),
    ("payment", "received"): Word("Paiement enregistré", "good"),
    ("payment", "recorded"): Word("Paiement enregistré", "good"),
    ("payment", "reversed"): Word("Paiement annulé", "warn"),
    ("payment", "claimed"): Word("Pénalité réclamée", "info"),
    ("payment", "claim-paid"): Word("Pénalité encaissée", "good"),
    ("payment", "claim-waived"): Word("Pénalité abandonnée", "quiet"),
    ("payment", "bank-file"): Word("Relevé bancaire importé", "info"),
    ("payment", "bank-matched"): Word("Mouvement bancaire rapproché", "good"),
    ("payment", "bank-aside"): Word("Mouvement bancaire mis de côté", "quiet"),
    ("payment", "bank-reopen"): Word("Mouvement bancaire repris", "info"),
    ("payment", "bank-same"): Word("Mouvement bancaire déjà connu", "quiet"),
    ("payment", "bank-another"): Word("Mouvement bancaire distinct", "info"),
    ("setting", "penalty-terms"): Word("Conditions de pénalité changées", "info"),
    ("setting", "penalty-rate"): Word("Taux de pénalité enregistrés", "info"),
    ("reminder", "sent"): Word("Relance envoyée", "info"),
    ("reminder", "held"): Word("Relances suspendues", "warn"),
    ("reminder", "lifted"): Word("Relances reprises", "info"),
    ("reminder", "failed"): Word("Relance non partie", "bad"),
    ("reminder", "skipped"): Word("Relance écartée", "quiet"),
    ("reminder", "bounced"): Word("Courriel revenu", "bad"),
    ("reminder", "prepared"): Word("Étape préparée pour une personne", "info"),
    ("reminder", "case-opened"): Word("Cas ouvert", "warn"),
    ("reminder", "case-taken"): Word("Cas pris en charge", "info"),
    ("reminder", "case-changed"): Word("Tâche mise à jour", "info"),
    ("reminder", "case-closed"): Word("Cas fermé", "good"),
    ("reminder", "answered"): Word("Réponse du client", "info"),
    ("reminder", "sending"): Word("Relance en cours d'envoi", "info"),
    ("reminder", "unknown"): Word("Relance partie ou non : à vérifier", "warn"),
    ("setting", "tenant-created"): Word("Compte créé", "quiet"),
    ("setting", "entity-created"): Word("Entité ajoutée", "quiet"),
    ("setting", "entity-changed"): Word("Entité modifiée", "quiet"),
    ("setting", "entity-enabled"): Word("Entité activée", "quiet"),
    ("setting", "entity-disabled"): Word("Entité désactivée", "quiet"),
    ("setting", "reachability-changed"): Word("Règle d'envoi selon l'annuaire modifiée", "quiet"),
    ("setting", "connection-created"): Word("Plateforme ajoutée", "quiet"),
    ("setting", "connection-changed"): Word("Identifiants d'une plateforme changés", "quiet"),
    ("setting", "key-created"): Word("Clé d'API créée", "quiet"),
    ("setting", "key-revoked"): Word("Clé d'API révoquée", "quiet"),
    ("setting", "scenario"): Word("Scénario de relance modifié", "quiet"),
    ("setting", "channel-costs"): Word("Coûts des relances enregistrés", "quiet"),
    ("setting", "reminder-client"): Word("Réglages de relance d'un client modifiés", "quiet"),
    ("setting", "work-retried"): Word("Travail relancé", "quiet"),
    ("setting", "work-closed"): Word("Travail classé", "quiet"),
    ("setting", "webhook-created"): Word("Webhook ajouté", "quiet"),
    ("setting", "webhook-enabled"): Word("Webhook activé", "quiet"),
    ("setting", "webhook-disabled"): Word("Webhook désactivé", "quiet"),
    ("setting", "webhook-removed"): Word("Webhook supprimé", "quiet"),
    ("setting", "webhook-gone"): Word("Webhook désactivé : son adresse n'existe plus", "warn"),
    ("setting", "webhook-secret-changed"): Word("Secret d'un webhook changé", "quiet"),
    ("setting", "webhook-redelivery"): Word("Événement renvoyé à un webhook", "quiet"),
    ("setting", "channel-created"): Word("Canal de messagerie ajouté", "quiet"),
    ("setting", "channel-rules"): Word("Règles d'un canal changées", "quiet"),
    ("setting", "channel-tested"): Word("Message d'essai demandé", "quiet"),
    ("setting", "channel-enabled"): Word("Canal de messagerie activé", "quiet"),
    ("setting", "channel-disabled"): Word("Canal de messagerie désactivé", "quiet"),
    ("setting", "channel-removed"): Word("Canal de messagerie supprimé", "quiet"),
    ("setting", "channel-settled"): Word("Issue d'un message constatée", "quiet"),
    ("reminder", "case-late"): Word("Cas en retard", "warn"),
    **{key: Word(*said) for key, said in EVIDENCE.items()},
}
ACTORS: dict[str, str] = {
    "user": "Personne", "key": "Clé d'API", "entity": "Entité", "connection": "Plateforme", "tenant": "Compte",
    "work": "File de travail", "log": "Journal", "webhook": "Webhook", "channel": "Canal",
    "alarm": "Alarme", "check": "Contrôle", "replay": "Rejeu", "view": "Consultation", "export": "Export",
}
"""What the subject of an event without an invoice is, by its prefix."""

TOPICS: dict[str, str] = {
    "webhook": "Prévenir un logiciel", "notify": "Message de discussion ou SMS",
    "bounces": "Lecture des courriels revenus",
    "renew-hash": "Renouvellement du hachage d'un journal",
    "deliver": "Envoi d'une facture", "hand-over": "Remise d'un double à l'acheteur",
    "status": "Lecture d'un statut", "send-status": "Envoi d'un statut",
    "fetch": "Téléchargement d'un flux",
    "remind": "Décision de relance", "mail": "Envoi d'un courriel", "seal": "Scellement du journal",
    "poll": "Relève de la plateforme", "alarm": "Courriel d'alarme",
    "job": "Contrôle demandé",
}
TOPIC_ADVICE: dict[str, str] = {
    "hand-over": "Assurez-vous que l'acheteur a la facture, puis classez ce travail en disant comment.",
    "status": "Le message n'a pas trouvé sa facture ou ne se lit pas. Relancez quand la facture est connue ici ; sinon "
              "classez-le.",
    "send-status": "Corrigez la cause, puis relancez. Sinon classez, et posez ce statut sur le site de la plateforme.",
    "fetch": "La plateforme ne donne pas ce document. Relancez ; si cela dure, demandez-le lui.",
    "remind": "Corrigez la cause, puis relancez : la décision est prise de nouveau avec les faits du jour.",
    "seal": "L'horodatage a échoué. Relancez : rien n'est perdu.",
    "poll": "Relancez ; la relève reprend où elle en était.",
    "webhook": "Vérifiez l'adresse du logiciel à prévenir, puis relancez.",
    "job": "Relancez : le contrôle recommence du début.",
    "alarm": "Corrigez l'adresse dans PASSERELLE_ALARM_MAIL, puis classez ce travail.",
}
"""What to do about parked work that is no invoice to send."""

FLOW_TYPES: dict[str, str] = {
    "CustomerInvoice": "Facture de vente", "CustomerInvoiceLC": "Statut d'une facture de vente",
    "SupplierInvoice": "Facture d'achat", "SupplierInvoiceLC": "Statut d'une facture d'achat",
    "StateCustomerInvoiceLC": "Statut du portail public",
}
DECISIONS: dict[str, Word] = {
    "sent": Word("Envoyée", "good"),
    "held": Word("Retenue", "warn"),
    "skipped": Word("Écartée", "quiet"),
    "failed": Word("Non partie", "bad"),
    "sending": Word("En cours", "info"),
    "unknown": Word("Incertaine", "warn"),
}
HOLDS: dict[str, str] = {
    "promise": "Promesse de paiement", "plan": "Échéancier accordé", "dispute": "Litige commercial",
    "insolvency": "Procédure collective", "manual": "Décision interne",
}
AGES: dict[str, str] = {
    "current": "Non échu", "1-30": "1 à 30 j", "31-60": "31 à 60 j", "61-90": "61 à 90 j", "over-90": "Plus de 90 j",
}
"""The age classes of what is owed."""

PAYMENT_METHODS: dict[str, str] = {
    "virement": "Virement", "prélèvement": "Prélèvement", "carte": "Carte", "chèque": "Chèque", "espèces": "Espèces",
    "autre": "Autre",
}
REGIMES: dict[str, str] = {
    "normal-monthly": "Réel normal, mensuel", "normal-quarterly": "Réel normal, trimestriel",
    "simplified": "Réel simplifié", "franchise": "Franchise en base",
}
EVENT_KINDS: dict[str, str] = {
    "submission": "Réception et contrôle", "transmission": "Transmission à la plateforme", "lifecycle": "Statuts",
    "payment": "Paiements", "reminder": "Relances", "evidence": "Preuves",
    "alarm": "Alarmes",
}
"""Kinds of events that a webhook may choose."""

DELIVERY_STATES: dict[str, Word] = {
    "pending": Word("En route", "info"), "delivered": Word("Reçu", "good"), "failed": Word("Abandonné", "bad"),
    "closed": Word("Non envoyé", "quiet"), "sending": Word("En cours", "info"), "sent": Word("Remis", "good"),
    "unknown": Word("Incertain", "warn"),
}
REACHES: dict[str, str] = {
    "not-yet": "Adresse rattachée à une plateforme plus tard", "disabled": "Acheteur connu, sans plateforme",
    "unknown": "Adresse absente de l'annuaire", "cannot-tell": "Annuaire absent, muet ou contradictoire",
}
REACH_WORDS: dict[str, Word] = {
    "reachable": Word("Joignable", "good"), "not-yet": Word("Pas encore joignable", "warn"),
    "disabled": Word("Sans plateforme", "bad"), "unknown": Word("Inconnue", "bad"),
    "cannot-tell": Word("Indéterminée", "quiet"),
}
REACH_STEPS: dict[str, str] = {
    "send": "Envoyer", "hold": "Retenir et redemander plus tard", "ask": "Demander à une personne",
}
FORMATS: dict[str, str] = {"factur-x": "Factur-X (PDF et données)", "cii": "CII (XML)", "ubl": "UBL (XML)"}


def status(code: str | None) -> Word:
    """A lifecycle status by its French name; an unknown code shows itself."""
    known = STATUSES.get(code or "")
    return Word(known.label.fr if known else f"Statut {code}", LIFECYCLE_TONES.get(code or "", "quiet"))


def state(invoice: Submission) -> Word:
    """The one word for an invoice in a list: what the buyer's side says, else where the sending stands."""
    return state_of(invoice.transmission, invoice.lifecycle)


def state_of(transmission: str, lifecycle: str | None) -> Word:
    """The same from the two columns that it rests on."""
    if transmission in {"refused", "failed", "parked", "held", "unknown"} or lifecycle is None:
        return TRANSMISSION.get(transmission, Word(transmission))
    return status(lifecycle)


def channel_state(row: Channel | WebhookEndpoint) -> Word:
    """Whether a webhook listens or a channel is in use, and whether it went well last."""
    if row.disabled_at is not None:
        return Word("Désactivé", "quiet")
    return Word("En difficulté", "warn") if row.trouble else Word("Actif", "good")


def document_type(code: str | None) -> str:
    """`Facture`, `Avoir`, `Facture rectificative`; an unknown code shows itself."""
    known = FRENCH_TYPES.get(code or "")
    return known.fr if known else f"Document {code or 'inconnu'}"


def happening(event: Event) -> Word:
    """What an event says happened."""
    if event.kind == "lifecycle":
        return status(event.code)
    if event.code.startswith("object.") and (event.kind, event.code) not in EVENTS:
        return Word(*SAFE_REFUSED)
    return EVENTS.get((event.kind, event.code), Word(f"{KINDS.get(event.kind, event.kind)} : {event.code}"))


def reason(text: str | None) -> str:
    """A reason for people. Our own problem codes go, a bare reason code becomes its label, the French half stays."""
    if not text:
        return ""
    code, _, rest = (part.strip() for part in text.partition(":"))
    if code in REASON_LABELS:
        return french(rest) or REASON_LABELS[code].fr
    return french(rest if OUR_CODE.fullmatch(code) and rest else text)


def french(text: str) -> str:
    """The French half of `français / English`, which our problems carry."""
    return text.split(" / ", 1)[0]
