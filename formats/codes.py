"""Code lists that the model and the lifecycle need, each with its source and edition. Data only.

Validation of whole lists (countries, units, VATEX ...) is the published rules' business; here is only what our own
code decides on or shows. Labels: French as the specifications use them, English as plain words. The published
English labels are ambiguous ("Received" for 202 and 212), so programs go by the code.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Label:
    """A code's words in French and in English."""

    fr: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusCode:
    """One lifecycle status (MDT-105)."""

    code: str
    label: Label
    set_by: str
    """Who sets it: "issuer-platform", "recipient-platform", "platform", "buyer", "seller", "ppf"."""

    type_code: str
    """MDT-77: "305" a platform or the portal speaks, "23" a party speaks (BR-FR-CDV-09 knows no other)."""

    reference_status: str | None = None
    """MDT-88 (UNTDID 1373) as published examples have it; None where no source names one."""

    mandatory_for_ppf: bool = False
    """Whether the tax portal must get it (212 only where VAT falls due on receipt)."""

    final: bool = False
    """Whether nothing may follow."""

    object_type: str | None = None
    """What the portal speaks about (DGFiP G7.15): 303 flow, 304 invoice data or report, 305 status, 306 directory."""


# --- BT-3 --------------------------------------------------------------------------------------------------
# Source: BR-FR-04 of the FNFE rules 1.4.0.03 (2026-08-04); UNTDID 1001.
FRENCH_TYPES: dict[str, Label] = {
    "380": Label("Facture", "Invoice"),
    "389": Label("Autofacture", "Self-billed invoice"),
    "393": Label("Facture affacturée", "Factored invoice"),
    "501": Label("Autofacture affacturée", "Self-billed factored invoice"),
    "386": Label("Facture d'acompte", "Prepayment invoice"),
    "500": Label("Autofacture d'acompte", "Self-billed prepayment invoice"),
    "384": Label("Facture rectificative", "Corrected invoice"),
    "471": Label("Autofacture rectificative", "Self-billed corrected invoice"),
    "472": Label("Facture affacturée rectificative", "Factored corrected invoice"),
    "473": Label("Autofacture affacturée rectificative", "Self-billed factored corrected invoice"),
    "381": Label("Avoir", "Credit note"),
    "261": Label("Avoir en autofacturation", "Self-billed credit note"),
    "262": Label("Avoir pour remise globale", "Global rebate credit note"),
    "396": Label("Avoir affacturé", "Factored credit note"),
    "502": Label("Avoir affacturé en autofacturation", "Self-billed factored credit note"),
    "503": Label("Avoir sur facture d'acompte", "Credit note on a prepayment invoice"),
}
CREDIT_TYPES = frozenset({"381", "261", "262", "396", "502", "503"})
"""French types written as a UBL CreditNote."""
OTHER_CREDIT_TYPES = frozenset({"81", "83", "308", "420", "458", "532"})
"""Credit types of EN 16931 outside France (BR-CL-01 for CreditNote)."""
INVOICE_TYPES = frozenset(FRENCH_TYPES) - CREDIT_TYPES
CORRECTIVE_TYPES = frozenset({"384", "471", "472", "473"})
CORRECTED_AS = {"389": "471", "393": "472", "501": "473"}
"""The type of what corrects an invoice of a type; 384 for the others."""
CREDITED_AS = {"389": "261", "393": "396", "501": "502", "386": "503", "500": "503"}
"""The type of what gives an invoice of a type back; 381 for the others."""
PREPAID_AS = {"389": "500"}
"""The type of a prepayment, by that of the ordinary invoice; 386 for the others."""
SELF_BILLED_TYPES = frozenset({"389", "501", "500", "471", "473", "261", "502"})
PREPAYMENT_TYPES = frozenset({"386", "500", "503"})
FACTORED_TYPES = frozenset({"393", "501", "472", "473", "396", "502"})

# --- BT-23 -------------------------------------------------------------------------------------------------
# Source: BR-FR-08 of the FNFE rules 1.4.0.03. B goods, S services, M both.
FRAMES: dict[str, Label] = {
    "B1": Label("Biens", "Goods"),
    "S1": Label("Services", "Services"),
    "M1": Label("Biens et services", "Goods and services"),
    "B2": Label("Biens, déjà payée", "Goods, already paid"),
    "S2": Label("Services, déjà payée", "Services, already paid"),
    "M2": Label("Biens et services, déjà payée", "Goods and services, already paid"),
    "S3": Label("Sous-traitance en paiement direct (B2G)", "Subcontractor with direct payment (B2G)"),
    "B4": Label("Biens, facture définitive après acompte", "Goods, final invoice after prepayment"),
    "S4": Label("Services, facture définitive après acompte", "Services, final invoice after prepayment"),
    "M4": Label("Biens et services, facture définitive après acompte", "Goods and services, final after prepayment"),
    "S5": Label("Services, par un sous-traitant", "Services by a subcontractor"),
    "S6": Label("Services, par un cotraitant", "Services by a co-contractor"),
    "B7": Label("Biens, déjà déclarée (e-reporting)", "Goods, already reported"),
    "S7": Label("Services, déjà déclarée (e-reporting)", "Services, already reported"),
    "B8": Label("Biens, multi-vendeurs", "Goods, several sellers"),
    "S8": Label("Services, multi-vendeurs", "Services, several sellers"),
    "M8": Label("Biens et services, multi-vendeurs", "Goods and services, several sellers"),
    "B9": Label("Biens, autofacturation croisée", "Goods, two-way self-billing"),
    "S9": Label("Services, autofacturation croisée", "Services, two-way self-billing"),
    "M9": Label("Biens et services, autofacturation croisée", "Goods and services, two-way self-billing"),
}

# --- BT-21 -------------------------------------------------------------------------------------------------
# Source: UNTDID 4451, as BR-FR-05 and BR-FR-20 use it.
NOTE_SUBJECTS: dict[str, Label] = {
    "PMT": Label("Indemnité forfaitaire de recouvrement", "Fixed recovery indemnity"),
    "PMD": Label("Pénalités de retard", "Late-payment penalties"),
    "AAB": Label("Escompte", "Early-payment discount"),
    "TXD": Label("Membre d'un assujetti unique", "Member of a single taxable person"),
    "BAR": Label("Traitement de la facture", "Treatment of the invoice"),
    "AAI": Label("Information générale", "General information"),
    "ABL": Label("Information légale", "Legal information"),
    "REG": Label("Forme juridique et capital", "Legal form and capital"),
    "ACC": Label("Clause de subrogation", "Factoring subrogation clause"),
    "BLU": Label("Éco-contribution", "Eco-contribution"),
    "CUS": Label("Douane", "Customs"),
    "SUR": Label("Remarques du fournisseur", "Supplier's remarks"),
}
REQUIRED_NOTES = ("PMT", "PMD", "AAB")
TREATMENTS = ("B2B", "B2BINT", "B2C", "B2CINT", "OUTOFSCOPE", "ARCHIVEONLY")

# --- Identifier schemes ------------------------------------------------------------------------------------
# Source: ISO 6523 ICD list; DGFiP annexe 7 G1.73.
SCHEMES: dict[str, Label] = {
    "0002": Label("SIREN", "SIREN (company)"),
    "0009": Label("SIRET", "SIRET (establishment)"),
    "0060": Label("DUNS", "DUNS"),
    "0088": Label("GLN", "GLN"),
    "0160": Label("GTIN", "GTIN"),
    "0223": Label("TVA intracommunautaire", "EU VAT number"),
    "0224": Label("Code routage", "Routing code"),
    "0225": Label("Adresse électronique française", "French electronic address"),
    "0226": Label("Particulier", "Private person"),
    "0227": Label("Hors Union européenne", "Outside the European Union"),
    "0228": Label("RIDET", "RIDET (New Caledonia)"),
    "0229": Label("TAHITI", "TAHITI (French Polynesia)"),
    "0231": Label("SIREN de l'assujetti unique", "SIREN of the single taxable person"),
    "0238": Label("Matricule de plateforme", "Platform number"),
}
VAT_CATEGORIES = ("S", "Z", "E", "AE", "K", "G", "O")
"""UNTDID 5305 as France admits it (BR-FR-15); L and M exist in EN 16931 and are refused in France."""

# --- Lifecycle ---------------------------------------------------------------------------------------------
# Source: FNFE CDAR rules 1.4.0.03 (lists CL-01 to CL-11) and DGFiP specifications 3.2.


def _status(
    code: str, fr: str, en: str, set_by: str, *types: str, ppf: bool = False, final: bool = False,
    about: str | None = None,
) -> StatusCode:
    """One row: `types` is MDT-77 and, where published, MDT-88; `about` is the portal's object type."""
    type_code, reference_status = (*types, None)[:2]
    return StatusCode(
        code=code, label=Label(fr, en), set_by=set_by, type_code=str(type_code), reference_status=reference_status,
        mandatory_for_ppf=ppf, final=final, object_type=about,
    )


STATUSES: dict[str, StatusCode] = {
    status.code: status
    for status in (
        _status("200", "Déposée", "Submitted", "issuer-platform", "305", "10", ppf=True),
        _status("201", "Émise par la plateforme", "Sent by the platform", "issuer-platform", "305", "51"),
        _status("202", "Reçue par la plateforme", "Received by the platform", "recipient-platform", "305", "43"),
        _status("203", "Mise à disposition", "Made available", "recipient-platform", "305", "48"),
        _status("204", "Prise en charge", "In hand", "buyer", "23", "45"),
        _status("205", "Approuvée", "Approved", "buyer", "23", "1"),
        _status("206", "Approuvée partiellement", "Partly approved", "buyer", "23", "49"),
        _status("207", "En litige", "Disputed", "buyer", "23", "46"),
        _status("208", "Suspendue", "Suspended", "buyer", "23", "39"),
        _status("209", "Complétée", "Completed", "seller", "23", "37"),
        _status("210", "Refusée", "Refused by the buyer", "buyer", "23", "50", ppf=True),
        _status("211", "Paiement transmis", "Payment sent", "buyer", "23", "47"),
        _status("212", "Encaissée", "Payment received", "seller", "23", "47", ppf=True),
        _status("213", "Rejetée", "Rejected by a platform", "platform", "305", "8", ppf=True, final=True),
        _status("214", "Visée", "Stamped", "buyer", "23"),
        _status("220", "Annulée", "Cancelled", "seller", "23", final=True),
        _status("221", "Erreur de routage", "Routing error", "platform", "305"),
        _status("224", "Demande de paiement direct", "Direct payment asked for", "seller", "23"),
        _status("225", "Affacturée", "Factored", "seller", "23"),
        _status("226", "Affacturée confidentiel", "Factored, undisclosed", "seller", "23"),
        _status("227", "Changement de compte à payer", "Account to pay changed", "seller", "23"),
        _status("228", "Non affacturée", "Not factored", "seller", "23"),
        _status("250", "Données déposées", "Tax data accepted", "ppf", "305", about="304"),
        _status("251", "Données rejetées", "Tax data rejected", "ppf", "305", about="304"),
        _status("300", "E-reporting déposé", "Report accepted", "ppf", "305", about="304"),
        _status("301", "E-reporting rejeté", "Report rejected", "ppf", "305", about="304"),
        _status("400", "Ligne d'annuaire acceptée", "Directory line accepted", "ppf", "305", about="306"),
        _status("401", "Ligne d'annuaire rejetée", "Directory line rejected", "ppf", "305", about="306"),
        _status("500", "Flux recevable", "Flow admissible", "ppf", "305", about="303"),
        _status("501", "Flux irrecevable", "Flow inadmissible", "ppf", "305", about="303"),
        _status("601", "Statut rejeté", "Status rejected by the portal", "ppf", "305", about="305"),
    )
}

REASON_LABELS: dict[str, Label] = {
    "NON_TRANSMISE": Label("Destinataire sans plateforme joignable", "Recipient has no reachable platform"),
    "JUSTIF_ABS": Label("Justificatif absent ou insuffisant", "Supporting document missing or insufficient"),
    "ROUTAGE_ERR": Label("Erreur de routage", "Routing error"),
    "AUTRE": Label("Autre", "Other"),
    "COORD_BANC_ERR": Label("Coordonnées bancaires erronées", "Wrong bank details"),
    "TX_TVA_ERR": Label("Taux de TVA erroné", "Wrong VAT rate"),
    "MONTANTTOTAL_ERR": Label("Montant total erroné", "Wrong total amount"),
    "CALCUL_ERR": Label("Erreur de calcul", "Calculation error"),
    "NON_CONFORME": Label("Mention légale manquante", "Legal mention missing"),
    "DOUBLON": Label("Facture en double", "Duplicate: same number, seller and year"),
    "DEST_INC": Label("Destinataire inconnu", "Unknown recipient"),
    "DEST_ERR": Label("Erreur de destinataire", "Wrong recipient"),
    "TRANSAC_INC": Label("Transaction inconnue", "No matching order or delivery"),
    "EMMET_INC": Label("Émetteur inconnu", "Unknown seller"),
    "CONTRAT_TERM": Label("Contrat terminé", "Contract has ended"),
    "DOUBLE_FACT": Label("Double facturation", "Billed twice"),
    "CMD_ERR": Label("Commande absente ou erronée", "Order number missing or wrong"),
    "ADR_ERR": Label("Adresse erronée ou absente", "Address wrong or missing"),
    "SIRET_ERR": Label("SIRET erroné ou absent", "SIRET wrong or missing"),
    "CODE_ROUTAGE_ERR": Label("Code routage erroné ou absent", "Routing code wrong or missing"),
    "REF_CT_ABSENT": Label("Référence contractuelle absente", "Contract reference missing"),
    "REF_ERR": Label("Référence erronée", "Wrong reference"),
    "PU_ERR": Label("Prix unitaire erroné", "Wrong unit price"),
    "REM_ERR": Label("Remise erronée", "Wrong discount"),
    "QTE_ERR": Label("Quantité erronée", "Wrong quantity"),
    "ART_ERR": Label("Article erroné", "Wrong item"),
    "MODPAI_ERR": Label("Modalités de paiement erronées", "Wrong payment terms"),
    "QUALITE_ERR": Label("Qualité non conforme", "Quality not as agreed"),
    "LIVR_INCOMP": Label("Livraison incomplète", "Incomplete delivery"),
    "RETRAIT_MAN_SERV": Label("Retrait à la demande du service", "Withdrawn at the service's request"),
    "ST_CT_NON_DECLAR": Label("Sous-traitant ou cotraitant non déclaré", "Subcontractor not declared"),
    "SUPPR_COMP_AVOIR": Label("Suppression compensée par un avoir", "Removed, set off by a credit note"),
    "TRANSF_PMNT_REGIE": Label("Transfert pour paiement en régie", "Moved to direct cash payment"),
    "REJ_SEMAN": Label("Contenu ou format non conforme", "Content or format breaks the rules"),
    "REJ_UNI": Label("Facture déjà connue", "Invoice number already used"),
    "REJ_COH": Label("Données incohérentes", "Inconsistent data"),
    "REJ_ADR": Label("Adresse absente de l'annuaire", "Address not in the directory"),
    "REJ_CONT_B2G": Label("Contrôle du secteur public", "Public-sector check failed"),
    "REJ_REF_PJ": Label("Référence de pièce jointe erronée", "Wrong attachment reference"),
    "REJ_ASS_PJ": Label("Pièce jointe mal associée", "Attachment not matched"),
    "IRR_VIDE_F": Label("Fichier vide", "Empty file"),
    "IRR_TYPE_F": Label("Type de fichier non admis", "File type not admitted"),
    "IRR_SYNTAX": Label("Syntaxe non admise", "Syntax not admitted"),
    "IRR_TAILLE_PJ": Label("Pièce jointe trop grande", "Attachment too large"),
    "IRR_NOM_PJ": Label("Nom de pièce jointe non admis", "Attachment name not admitted"),
    "IRR_VID_PJ": Label("Pièce jointe vide", "Empty attachment"),
    "IRR_EXT_DOC": Label("Extension non admise", "File extension not admitted"),
    "IRR_TAILLE_F": Label("Fichier trop grand", "File too large"),
    "IRR_ANTIVIRUS": Label("Virus détecté", "Virus found"),
    "IRR_NOM_F": Label("Nom de fichier non admis", "File name not admitted"),
    # DGFiP annexe 7 (G7.18) and table 3: the portal's own, and one that BR-FR-CDV-CL-09 names and does not admit.
    # Understood when they come, never sent.
    "REJ_PER": Label("Période déjà déclarée ou erronée", "Period already reported or wrong"),
    "REJ_RG": Label("Règle de gestion non respectée", "A business rule is broken"),
    "REJ_HAB": Label("Habilitation manquante", "Not authorised"),
    "REJ_VAL_INC": Label("Valeur inconnue", "Unknown value"),
    "REJ_INC": Label("Objet incohérent", "Inconsistent object"),
    "REJ_INEX": Label("Facture inconnue du portail", "Invoice unknown to the portal"),
    "REJ_ENCAISSEMENT": Label("Encaissement non ventilé par taux de TVA", "Receipt not split by VAT rate"),
    "IRR_TAILLE": Label("Flux trop grand", "Flow too large"),
    "IRR_UNICITE": Label("Flux déjà reçu", "Flow received before"),
    "IRR_VIDE": Label("Flux vide", "Empty flow"),
    "IRR_FORM": Label("Format de flux non admis", "Flow format not admitted"),
    "IRR_TYPE": Label("Type de flux non admis", "Flow type not admitted"),
    "IRR_CODE_INTER": Label("Code d'interface non admis", "Interface code not admitted"),
    "IRR_EXTRAC": Label("Flux impossible à décompresser", "Flow cannot be unpacked"),
    "IRR_CODE_APP": Label("Code d'application non admis", "Application code not admitted"),
    "CONTACT_ACHTR": Label("Contact acheteur à préciser", "Buyer's contact to be given"),
}

PORTAL_REASONS: dict[str, tuple[str, ...]] = {
    "251": ("REJ_SEMAN", "REJ_UNI", "REJ_COH"),
    "301": ("REJ_SEMAN", "REJ_UNI", "REJ_COH", "REJ_PER"),
    "401": ("REJ_RG", "REJ_HAB", "REJ_COH", "REJ_VAL_INC"),
    "601": ("REJ_INC", "REJ_INEX", "REJ_RG", "REJ_HAB", "REJ_ENCAISSEMENT"),
}
"""What the portal answers with, per status. Some are unknown to BR-FR-CDV-CL-09."""

_LINE_REASONS = ("SIRET_ERR", "CODE_ROUTAGE_ERR", "REF_CT_ABSENT", "REF_ERR", "PU_ERR", "REM_ERR", "QTE_ERR", "ART_ERR",
                 "MODPAI_ERR", "QUALITE_ERR", "LIVR_INCOMP")

# Source: BR-FR-CDV-CL-09 and its sub-lists, 1.4.0.03.
REASONS: dict[str, tuple[str, ...]] = {
    "200": ("NON_TRANSMISE",),
    "206": ("AUTRE", "CMD_ERR", *_LINE_REASONS),
    "207": ("AUTRE", "COORD_BANC_ERR", "TX_TVA_ERR", "MONTANTTOTAL_ERR", "CALCUL_ERR", "NON_CONFORME", "DOUBLON",
            "DEST_INC", "DEST_ERR", "TRANSAC_INC", "EMMET_INC", "CONTRAT_TERM", "DOUBLE_FACT", "CMD_ERR", "ADR_ERR",
            *_LINE_REASONS),
    "208": ("JUSTIF_ABS", "COORD_BANC_ERR", "CMD_ERR", "SIRET_ERR", "CODE_ROUTAGE_ERR", "REF_CT_ABSENT", "REF_ERR"),
    "210": ("TX_TVA_ERR", "MONTANTTOTAL_ERR", "CALCUL_ERR", "NON_CONFORME", "DOUBLON", "DEST_ERR", "TRANSAC_INC",
            "EMMET_INC", "CONTRAT_TERM", "DOUBLE_FACT", "CMD_ERR", "ADR_ERR", "REF_CT_ABSENT"),
    "213": ("MONTANTTOTAL_ERR", "CALCUL_ERR", "DOUBLON", "DEST_INC", "ADR_ERR", "REJ_SEMAN", "REJ_UNI", "REJ_COH",
            "REJ_ADR", "REJ_CONT_B2G", "REJ_REF_PJ", "REJ_ASS_PJ"),
    "221": ("ROUTAGE_ERR",),
    "501": ("IRR_VIDE_F", "IRR_TYPE_F", "IRR_SYNTAX", "IRR_TAILLE_PJ", "IRR_NOM_PJ", "IRR_VID_PJ", "IRR_EXT_DOC",
            "IRR_TAILLE_F", "IRR_ANTIVIRUS", "IRR_NOM_F"),
}
REFUSAL_REASONS_B2G = (*REASONS["210"], "RETRAIT_MAN_SERV", "ST_CT_NON_DECLAR", "SUPPR_COMP_AVOIR", "TRANSF_PMNT_REGIE",
                       "AUTRE", "COORD_BANC_ERR", "LIVR_INCOMP")
"""Reasons of a 210 that a public buyer (sender 0238:9999) may give."""

NEEDS_REASON = frozenset({"206", "207", "208", "210", "213", "501"})
"""Statuses that a reason must come with. Source: BR-FR-CDV-15."""

NEEDS_COMMENT = frozenset({"208", "210"})
"""Statuses that words must come with (MDT-126). Source: DGFiP annexe 7 G7.25; no published rule checks it."""

ACTIONS: dict[str, Label] = {
    "NOA": Label("Aucune action", "No action"),
    "PIN": Label("Fournir une information", "Give information"),
    "NIN": Label("Émettre une nouvelle facture", "Send a new invoice"),
    "CNF": Label("Émettre un avoir total", "Send a full credit note"),
    "CNP": Label("Émettre un avoir partiel", "Send a partial credit note"),
    "CNA": Label("Émettre un avoir d'un montant", "Send a credit note of an amount"),
    "OTH": Label("Autre", "Other"),
}

AMOUNT_TYPES: dict[str, Label] = {
    "MEN": Label("Montant encaissé TTC", "Amount received, with VAT"),
    "MPA": Label("Montant payé", "Amount paid"),
    "RAP": Label("Reste à payer", "Still due"),
    "ESC": Label("Escompte", "Early-payment discount"),
    "RAB": Label("Rabais", "Rebate"),
    "REM": Label("Remise", "Allowance"),
    "MAP": Label("Montant approuvé HT", "Amount approved, without VAT"),
    "MAPTTC": Label("Montant approuvé TTC", "Amount approved, with VAT"),
    "MNA": Label("Montant non approuvé HT", "Amount not approved, without VAT"),
    "MNATTC": Label("Montant non approuvé TTC", "Amount not approved, with VAT"),
    "CBB": Label("Coordonnées bancaires à changer", "Bank details to change"),
    "DIV": Label("Donnée invalide", "Invalid datum"),
    "DVA": Label("Donnée attendue", "Expected datum"),
    "MAJ": Label("Valeur à appliquer", "Value to apply"),
}

AMOUNTS_OF: dict[str, tuple[str, ...]] = {
    "206": ("MAP", "MAPTTC", "MNA", "MNATTC"),
    "207": ("DIV", "DVA", "MAJ"),
    "208": ("DIV", "DVA"),
    "210": ("DIV", "DVA"),
    "211": ("MPA", "RAP", "ESC"),
    "212": ("MEN", "RAP", "ESC", "RAB", "REM"),
    "227": ("CBB",),
}
"""The characteristics (MDT-207) that a status comes with; MEN is compulsory on 212, with a VAT rate (BR-FR-CDV-14)."""

ROLES: dict[str, Label] = {
    "SE": Label("Vendeur", "Seller"),
    "BY": Label("Acheteur", "Buyer"),
    "AB": Label("Agent d'acheteur", "Buyer's agent"),
    "SR": Label("Agent de vendeur", "Seller's agent"),
    "DL": Label("Affactureur", "Factor"),
    "PE": Label("Bénéficiaire", "Payee"),
    "PR": Label("Payeur", "Payer"),
    "II": Label("Facturant", "Invoicer"),
    "IV": Label("Facturé à", "Invoicee"),
    "WK": Label("Plateforme agréée", "Approved platform"),
    "DFH": Label("Portail public de facturation", "Public invoicing portal"),
}
"""UNTDID 3035 as the CDAR rules CL-02 to CL-08 use it."""
