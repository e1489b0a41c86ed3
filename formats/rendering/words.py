"""The words of the printed invoice, French and English. Data only; code lists that others share are in codes.py."""

from formats.codes import Label

WORDS: dict[str, Label] = {
    # head
    "number": Label("N°", "No."),
    "issued": Label("Date d’émission", "Issue date"),
    "due_date": Label("Échéance", "Due date"),
    "due": Label("Net à payer", "Amount due"),
    "due_credit": Label("Net en votre faveur", "Credit in your favour"),
    "page": Label("Page", "Page"),
    # parties
    "seller": Label("Vendeur", "Seller"),
    "buyer": Label("Client", "Customer"),
    "payee": Label("Bénéficiaire du paiement", "Payee"),
    "tax_representative": Label("Représentant fiscal", "Tax representative"),
    "delivery": Label("Livraison", "Delivery"),
    "trading_name": Label("Nom commercial", "Trading name"),
    "vat_number": Label("N° TVA", "VAT number"),
    "tax_number": Label("N° fiscal", "Tax number"),
    "registration": Label("Immatriculation", "Registration"),
    "identifier": Label("Identifiant", "Identifier"),
    "electronic_address": Label("Adresse électronique", "Electronic address"),
    "contact": Label("Contact", "Contact"),
    "delivery_place": Label("Lieu", "Location"),
    "delivery_date": Label("Date de livraison", "Delivery date"),
    # references
    "buyer_reference": Label("Référence client", "Buyer reference"),
    "project_reference": Label("Projet", "Project"),
    "contract_reference": Label("Contrat", "Contract"),
    "purchase_order_reference": Label("Bon de commande", "Purchase order"),
    "sales_order_reference": Label("Commande vendeur", "Sales order"),
    "receiving_advice_reference": Label("Avis de réception", "Receiving advice"),
    "despatch_advice_reference": Label("Avis d’expédition", "Despatch advice"),
    "tender_or_lot_reference": Label("Marché ou lot", "Tender or lot"),
    "invoiced_object": Label("Objet facturé", "Invoiced object"),
    "buyer_accounting_reference": Label("Imputation comptable", "Accounting reference"),
    "invoicing_period": Label("Période de facturation", "Invoicing period"),
    "preceding_invoice": Label("Facture d’origine", "Preceding invoice"),
    "preceding_of": Label("du", "of"),
    "frame": Label("Nature de l’opération", "Nature of the operation"),
    "process": Label("Processus", "Process"),
    "currency": Label("Devise", "Currency"),
    "vat_currency": Label("Devise de la TVA", "VAT currency"),
    "tax_point": Label("Exigibilité de la TVA", "VAT point"),
    "tax_point_3": Label("à la facturation (débits)", "on invoicing"),
    "tax_point_35": Label("à la livraison", "on delivery"),
    "tax_point_432": Label("à l’encaissement", "on payment"),
    # lines
    "line": Label("N°", "No."),
    "item": Label("Désignation", "Description"),
    "quantity": Label("Quantité", "Quantity"),
    "unit_price": Label("Prix unitaire HT", "Unit price excl. VAT"),
    "vat": Label("TVA", "VAT"),
    "net_amount": Label("Montant HT", "Amount excl. VAT"),
    "per": Label("pour", "per"),
    "gross_price": Label("Prix brut", "Gross price"),
    "price_discount": Label("remise", "discount"),
    "seller_item": Label("Réf. vendeur", "Seller’s item"),
    "buyer_item": Label("Réf. client", "Buyer’s item"),
    "standard_item": Label("Code article", "Item code"),
    "classification": Label("Classification", "Classification"),
    "origin": Label("Origine", "Origin"),
    "period": Label("Période", "Period"),
    "order_line": Label("Ligne de commande", "Order line"),
    "object": Label("Objet", "Object"),
    "allowance": Label("Remise", "Allowance"),
    "charge": Label("Frais", "Charge"),
    "of_base": Label("de", "of"),
    "code": Label("code", "code"),
    # sums
    "adjustments": Label("Remises et frais sur l’ensemble", "Document allowances and charges"),
    "vat_breakdown": Label("Détail de la TVA", "VAT breakdown"),
    "vat_rate": Label("Taux", "Rate"),
    "vat_base": Label("Base HT", "Taxable amount"),
    "vat_amount": Label("Montant de TVA", "VAT amount"),
    "lines_net": Label("Total des lignes HT", "Sum of lines"),
    "allowances": Label("Remises", "Allowances"),
    "charges": Label("Frais", "Charges"),
    "without_vat": Label("Total HT", "Total excl. VAT"),
    "vat_total": Label("TVA", "VAT"),
    "vat_in": Label("TVA en", "VAT in"),
    "with_vat": Label("Total TTC", "Total incl. VAT"),
    "paid": Label("Déjà réglé", "Already paid"),
    "rounding": Label("Arrondi", "Rounding"),
    # payment
    "payment": Label("Règlement", "Payment"),
    "means": Label("Mode de règlement", "Means of payment"),
    "account": Label("IBAN", "IBAN"),
    "other_account": Label("Compte", "Account"),
    "bic": Label("BIC", "BIC"),
    "account_name": Label("Titulaire", "Account holder"),
    "remittance": Label("Référence à rappeler", "Remittance information"),
    "card": Label("Carte", "Card"),
    "card_holder": Label("Porteur", "Card holder"),
    "mandate": Label("Mandat de prélèvement", "Direct debit mandate"),
    "creditor": Label("Identifiant créancier (ICS)", "Creditor identifier"),
    "debited_account": Label("Compte débité", "Debited account"),
    "terms": Label("Conditions", "Terms"),
    # rest
    "notes": Label("Mentions", "Notes"),
    "note": Label("Note", "Note"),
    "documents": Label("Pièces jointes", "Supporting documents"),
    "readable": Label("Représentation lisible de la facture électronique", "Readable form of the electronic invoice"),
}

VAT_WORDS: dict[str, Label] = {
    "S": Label("Taux normal ou réduit", "Standard or reduced rate"),
    "Z": Label("Taux zéro", "Zero rated"),
    "E": Label("Exonéré", "Exempt"),
    "AE": Label("Autoliquidation", "Reverse charge"),
    "K": Label("Livraison intracommunautaire", "Intra-Community supply"),
    "G": Label("Exportation", "Export"),
    "O": Label("Hors champ de la TVA", "Outside the scope of VAT"),
    "L": Label("IGIC (Canaries)", "IGIC (Canary Islands)"),
    "M": Label("IPSI (Ceuta et Melilla)", "IPSI (Ceuta and Melilla)"),
}
"""UNTDID 5305. Shown beside the rate for all but S."""

UNITS: dict[str, Label] = {
    "C62": Label("u.", "u."), "H87": Label("pce", "pc"), "EA": Label("u.", "ea."), "XPP": Label("pce", "pc"),
    "PR": Label("paire", "pair"), "SET": Label("lot", "set"), "LS": Label("forfait", "lump sum"),
    "E48": Label("u.", "u."), "DZN": Label("douz.", "doz."), "MIN": Label("min", "min"), "HUR": Label("h", "h"),
    "DAY": Label("j", "d"), "WEE": Label("sem.", "wk"), "MON": Label("mois", "mo."), "ANN": Label("an", "yr"),
    "KGM": Label("kg", "kg"), "GRM": Label("g", "g"), "TNE": Label("t", "t"), "MTR": Label("m", "m"),
    "KMT": Label("km", "km"), "CMT": Label("cm", "cm"), "MMT": Label("mm", "mm"), "LM": Label("m lin.", "lin. m"),
    "MTK": Label("m²", "m²"), "MTQ": Label("m³", "m³"), "LTR": Label("l", "l"), "KWH": Label("kWh", "kWh"),
    "MWH": Label("MWh", "MWh"), "P1": Label("%", "%"), "XBX": Label("carton", "box"),
    "XCT": Label("carton", "carton"), "XPK": Label("paquet", "package"), "XPX": Label("palette", "pallet"),
    "XBO": Label("bout.", "bottle"),
}
"""UN/ECE Recommendations 20 and 21, the everyday part, as short forms that need no plural.

Other codes are shown as they are."""

MEANS: dict[str, Label] = {
    "1": Label("Non précisé", "Not specified"), "10": Label("Espèces", "Cash"), "20": Label("Chèque", "Cheque"),
    "30": Label("Virement", "Credit transfer"), "42": Label("Versement sur compte", "Payment to bank account"),
    "48": Label("Carte bancaire", "Bank card"), "49": Label("Prélèvement", "Direct debit"),
    "54": Label("Carte de crédit", "Credit card"), "55": Label("Carte de débit", "Debit card"),
    "57": Label("Accord permanent", "Standing agreement"), "58": Label("Virement SEPA", "SEPA credit transfer"),
    "59": Label("Prélèvement SEPA", "SEPA direct debit"), "68": Label("Paiement en ligne", "Online payment"),
    "97": Label("Compensation", "Clearing between partners"), "ZZZ": Label("Convenu entre les parties", "As agreed"),
}
"""UNTDID 4461, the everyday part. Other codes are shown as they are."""

DOCUMENT_CODES: dict[str, Label] = {
    "RIB": Label("Relevé d’identité bancaire", "Bank details"),
    "LISIBLE": Label("Représentation lisible", "Readable form"),
    "PJA": Label("Pièce jointe", "Attachment"),
    "BON_LIVRAISON": Label("Bon de livraison", "Delivery note"),
    "BON_COMMANDE": Label("Bon de commande", "Purchase order"),
    "DOCUMENT_ANNEXE": Label("Document annexe", "Annex"),
    "BORDEREAU_SUIVI": Label("Bordereau de suivi", "Tracking slip"),
    "ETAT_ACOMPTE": Label("État d’acompte", "Statement of prepayments"),
}
"""BT-123 in France (BR-FR-17), the readable part. Other texts are shown as they are."""
