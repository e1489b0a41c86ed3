"""What each alarm means to people: title, advice, the English title, its weight, the page where one acts. Data."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """The words of one kind of alarm."""

    tone: str
    """bad: evidence, sending or a legal term is at stake; warn: it will be, if nobody looks."""

    title: str
    advice: str
    title_en: str
    href: str = "/alarmes"


KINDS: Mapping[str, Kind] = {
    "store-full": Kind(
        "bad", "Stockage des preuves plein", "Libérez de la place ou agrandissez le volume. Les envois sont refusés "
        "(503) et rien de ce qui a été accepté n'est perdu ; tout reprend de soi-même.", "Evidence store is full"),
    "store-read-only": Kind(
        "bad", "Stockage des preuves en lecture seule", "Rendez le volume accessible en écriture. Les envois sont "
        "refusés (503) ; tout reprend de soi-même.", "Evidence store is read-only"),
    "store-unavailable": Kind(
        "bad", "Stockage des preuves inaccessible", "Rétablissez l'accès au stockage. Rien n'est accepté tant que rien "
        "ne peut être conservé.", "Evidence store does not answer"),
    "object-damaged": Kind(
        "bad", "Objet conservé altéré ou absent", "Comparez avec la deuxième copie ou la sauvegarde ; ne supprimez "
        "rien. La facture concernée est nommée.", "A kept object is damaged or missing", "/journal/scellements"),
    "object-healed": Kind(
        "warn", "Objet réparé depuis la deuxième copie", "L'objet est de nouveau intact ; cherchez pourquoi le support "
        "l'avait altéré.", "An object was healed from its second copy", "/journal/scellements"),
    "check-failed": Kind(
        "bad", "Un contrôle a trouvé une anomalie", "Ouvrez le résultat du contrôle : il nomme la pièce ou l'écriture.",
        "A check found something damaged", "/journal/controles"),
    "journal-damaged": Kind(
        "bad", "Journal d'audit altéré", "Arrêtez d'écrire, gardez une copie de la base et comparez avec le dernier "
        "point de contrôle remis à l'extérieur.", "The audit journal is damaged", "/journal/scellements"),
    "timestamp-missing": Kind(
        "bad", "Autorité d'horodatage muette", "Les scellements attendent leur horodatage ; rien n'est perdu et le "
        "rattrapage est automatique. Prévenez le fournisseur.", "Timestamp authority does not answer",
        "/journal/scellements"),
    "timestamp-refused": Kind(
        "bad", "Horodatage refusé", "La réponse de l'autorité n'est pas celle attendue (autorité, politique, nonce ou "
        "empreinte). Vérifiez les réglages.", "A timestamp was refused", "/journal/scellements"),
    "revocation-unknown": Kind(
        "warn", "État d'un certificat d'horodatage inconnu", "La liste ou le répondeur que nomme le certificat de "
        "l'autorité ne répond pas, ou répond par un état périmé. Le jeton est conservé sans cette pièce ; prévenez le "
        "fournisseur.", "Revocation of a timestamp certificate is not known", "/journal/scellements"),
    "renewal-due": Kind(
        "warn", "Renouvellement d'horodatage à faire", "Un certificat de l'autorité arrive à échéance : scellez avec "
        "une autorité dont le certificat court plus longtemps. Pour un hachage (sha256, renewal), le renouvellement "
        "automatique n'a pas abouti : voyez le travail en échec, ou passerelle archive renew-hash.",
        "Timestamps must be renewed", "/journal/scellements"),
    "seal-late": Kind(
        "bad", "Entrées du journal non scellées", "Le scellement a pris du retard ; vérifiez que le service de fond "
        "tourne.", "Journal entries wait for their seal", "/journal/scellements"),
    "clock-jump": Kind(
        "bad", "Horloge du serveur incohérente", "Vérifiez la synchronisation (NTP). Les horodatages externes restent "
        "justes.", "The clock jumped"),
    "duty-late": Kind(
        "bad", "Statut obligatoire non transmis", "À transmettre dans les 24 heures : ouvrez la facture.",
        "A compulsory status has not been sent"),
    "connection-down": Kind(
        "bad", "Plateforme injoignable", "Les envois attendent et partiront d'eux-mêmes dès son retour.",
        "Platform does not answer", "/plateforme#connexions"),
    "flow-gap": Kind(
        "bad", "Flux peut-être manquants", "La plateforme a montré moins que ce qu'elle annonce : vérifiez la relève.",
        "Flows may be missing", "/plateforme#flux"),
    "work-parked": Kind(
        "warn", "Travaux arrêtés", "Passerelle attend votre décision : relancer ou classer.",
        "Work waits for a decision", "/plateforme#attente"),
    "flow-parked": Kind(
        "warn", "Flux reçus non rattachés", "La plateforme a transmis un message qui ne correspond à aucune facture.",
        "Flows that match no invoice", "/plateforme#flux"),
    "work-late": Kind(
        "bad", "File de travail en retard", "Aucun service de fond ne travaille, ou tous sont occupés.",
        "Work is not being done", "/plateforme"),
    "regular-failing": Kind(
        "bad", "Travail régulier en échec", "Un travail de fond (relances, conservation, scellement, relève…) échoue à "
        "chaque tour : le journal du service dit sur quoi. Les autres continuent.", "Regular work keeps failing"),
    "webhook-silent": Kind(
        "warn", "Webhook en difficulté", "Un de vos logiciels ne reçoit plus les événements.",
        "A webhook does not get through", "/reglages/webhooks"),
    "channel-silent": Kind(
        "warn", "Canal de messagerie en difficulté", "Un message de discussion ou de SMS n'est pas passé : voyez le "
        "journal du canal.", "A channel of chat or SMS does not get through", "/reglages/canaux"),
    "channel-doubt": Kind(
        "warn", "Message parti ou non", "La réponse du service s'est perdue : dites si le message est arrivé.",
        "A message may or may not have gone out", "/reglages/canaux"),
    "mailbox-silent": Kind(
        "warn", "Boîte des courriels revenus illisible", "Vérifiez PASSERELLE_BOUNCES_URL et le serveur : d'ici là, "
        "les retours ne sont pas lus.", "The mailbox of bounces cannot be read", "/relances/retours"),
    "backup-old": Kind(
        "warn", "Sauvegarde trop ancienne", "Lancez passerelle backup et vérifiez la tâche programmée.",
        "The last backup is too old"),
    "retention-late": Kind(
        "warn", "Destruction en retard", "Des pièces ont dépassé leur durée de conservation.",
        "Documents are past their retention date", "/journal/conservation"),
}


def kind_of(name: str) -> Kind:
    """The words of a kind; one that nobody described shows its own name."""
    return KINDS.get(name, Kind("bad", f"Alarme « {name} »", "Les faits ci-dessous disent de quoi il s'agit.",
                                f"Alarm {name}"))


FACTS: Mapping[str, str] = {
    "error": "Erreur", "free_bytes": "Place libre (octets)", "path": "Emplacement", "sha256": "Empreinte",
    "invoice": "Facture", "number": "Numéro", "count": "Nombre", "since": "Depuis", "until": "Avant le",
    "authority": "Autorité", "log": "Journal", "seq": "Entrée", "size": "Taille", "name": "Nom", "code": "Code",
    "state": "État", "tenant": "Compte", "role": "Rôle", "file": "Fichier",
}
"""How facts are called on the page; others show their own name."""
