"""What the journal says of access, evidence, alarms and settings of both: each code in French, with its tone.

The other events have their words in words.py, which takes these in.
"""

from archive.stores.safe import Verb

SAFE = {Verb.DEPOSIT: "déposée", Verb.READ: "lue", Verb.DESTROY: "détruite", Verb.METADATA: "métadonnées lues",
        Verb.CONTROL: "contrôlée", Verb.JOURNAL: "journal lu", Verb.LIST: "pièces listées",
        Verb.COUNT: "pièces comptées"}
"""The eight verbs of NF Z42-020."""

SAFE_REFUSED = ("Coffre : demande refusée", "warn")

EVIDENCE: dict[tuple[str, str], tuple[str, str]] = {
    ("access", "signed-in"): ("Connexion", "quiet"),
    ("access", "signed-out"): ("Déconnexion", "quiet"),
    ("access", "sign-in-refused"): ("Connexion refusée", "warn"),
    ("access", "user-created"): ("Personne ajoutée", "quiet"),
    ("access", "user-disabled"): ("Personne désactivée", "quiet"),
    ("access", "password-changed"): ("Mot de passe changé", "quiet"),
    ("access", "exported"): ("Dossier de preuve téléchargé", "quiet"),
    ("access", "viewed"): ("Page consultée", "quiet"),
    ("access", "document-read"): ("Document lu", "quiet"),
    ("access", "list-exported"): ("Liste exportée", "quiet"),
    ("access", "journal-searched"): ("Journal consulté", "quiet"),
    ("access", "journal-exported"): ("Journal exporté", "quiet"),
    ("evidence", "sealed"): ("Journal scellé", "good"),
    ("evidence", "hash-renewed"): ("Hachage renouvelé", "good"),
    ("evidence", "checkpoint-mailed"): ("Point de contrôle envoyé", "quiet"),
    ("evidence", "hold-set"): ("Gel posé", "warn"),
    ("evidence", "hold-lifted"): ("Gel levé", "quiet"),
    ("evidence", "destruction-proposed"): ("Destruction proposée", "warn"),
    ("evidence", "destruction-approved"): ("Destruction approuvée par une deuxième personne", "warn"),
    ("evidence", "destruction-declined"): ("Destruction écartée", "quiet"),
    ("evidence", "destruction-done"): ("Destruction faite, certificat conservé", "good"),
    ("evidence", "erased"): ("Données personnelles effacées", "quiet"),
    ("evidence", "destroyed"): ("Pièces détruites au terme de leur conservation", "quiet"),
    ("evidence", "contact-erased"): ("Adresse d'un contact effacée", "quiet"),
    ("evidence", "check-started"): ("Contrôle demandé", "quiet"),
    ("evidence", "checked"): ("Contrôle réussi", "good"),
    ("evidence", "check-failed"): ("Contrôle : anomalie trouvée", "bad"),
    ("evidence", "replay-started"): ("Rejeu des règles demandé", "quiet"),
    ("evidence", "replayed"): ("Rejeu des règles terminé", "quiet"),
    ("setting", "fiscal-year-changed"): ("Clôture de l'exercice changée", "quiet"),
    ("setting", "retention-changed"): ("Durée de conservation changée", "quiet"),
    ("alarm", "raised"): ("Alarme déclenchée", "bad"),
    ("alarm", "acknowledged"): ("Alarme acquittée", "quiet"),
    ("alarm", "cleared"): ("Fin d'alarme", "good"),
    ("access", "period-export-started"): ("Export d'une période demandé", "quiet"),
    ("access", "period-exported"): ("Export d'une période prêt", "quiet"),
    ("evidence", "backed-up"): ("Sauvegarde faite", "good"),
    ("evidence", "control.done"): ("Contrôle continu : tour complet", "good"),
    ("evidence", "object.healed"): ("Pièce remise en état depuis la seconde copie", "warn"),
    ("setting", "gap-explained"): ("Numéro manquant expliqué", "quiet"),
    ("setting", "logo-changed"): ("Logo changé", "quiet"),
    ("setting", "logo-removed"): ("Logo retiré", "quiet"),
    ("setting", "appearance-changed"): ("Apparence des factures changée", "quiet"),
    **{("access", f"object.{verb}.done"): (f"Coffre : {done}", "quiet") for verb, done in SAFE.items()},
    ("access", "object.destroy.ordered"): ("Coffre : destruction ordonnée", "warn"),
}
