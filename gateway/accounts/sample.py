"""An invented invoice in the name of a legal entity, to show how its invoices will look."""

import json
from datetime import date, timedelta
from typing import Any

from gateway.tables import LegalEntity

IBAN = "FR7600000000000000000000097"
"""Of bank 00000, which is nobody's."""

LINES = (
    ("Prestation de conseil", "4", "HUR", "90.00", "360.00", "20"),
    ("Fauteuil de bureau", "2", "C62", "145.50", "291.00", "20"),
    ("Ouvrage technique", "3", "C62", "18.00", "54.00", "5.5"),
)


def sample_of(row: LegalEntity, today: date) -> bytes:
    """Our JSON: three lines, two rates, an allowance, a credit transfer with its payment code."""
    return json.dumps({
        "number": "APERCU-0001",
        "issue_date": today.isoformat(),
        "type_code": "380",
        "currency": "EUR",
        "due_date": (today + timedelta(days=30)).isoformat(),
        "business_process": "M1",
        "purchase_order_reference": "BC-0001",
        "seller": _seller(row),
        "buyer": {
            "name": "Client Exemple SARL",
            "legal_registration": {"value": "000004002", "scheme": "0002"},
            "address": {"line_1": "8 avenue Inventée", "post_code": "99100", "city": "Villefictive", "country": "FR"},
        },
        "payment": {"means_code": "30", "remittance_information": "APERCU-0001",
                    "credit_transfers": [{"account": IBAN, "account_name": row.name[:70]}]},
        "payment_terms": "Paiement à 30 jours.",
        "notes": [{"subject_code": "PMT", "text": "Indemnité forfaitaire pour frais de recouvrement : 40 €."},
                  {"subject_code": "AAB", "text": "Pas d’escompte pour paiement anticipé."}],
        "lines": [
            {"id": str(number), "quantity": quantity, "unit": unit, "net_amount": amount, "price": {"net": price},
             "vat_category": "S", "vat_rate": rate, "item": {"name": name}}
            for number, (name, quantity, unit, price, amount, rate) in enumerate(LINES, 1)
        ],
        "allowances": [{"amount": "51.00", "vat_category": "S", "vat_rate": "20", "reason": "Remise de bienvenue"}],
        "totals": {"lines_net": "705.00", "allowances": "51.00", "without_vat": "654.00", "vat": "122.97",
                   "with_vat": "776.97", "due": "776.97"},
        "vat_breakdown": [
            {"taxable_amount": "600.00", "tax_amount": "120.00", "category": "S", "rate": "20"},
            {"taxable_amount": "54.00", "tax_amount": "2.97", "category": "S", "rate": "5.5"},
        ],
    }).encode()


def _seller(row: LegalEntity) -> dict[str, Any]:
    address = {name: text for name, text in (row.address or {}).items() if text}
    seller = {"name": row.name, "legal_registration": {"value": row.siren, "scheme": "0002"},
              "vat_identifier": row.vat_number, "address": address or None}
    return {name: value for name, value in seller.items() if value}
