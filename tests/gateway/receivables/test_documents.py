"""What names a document is found by the text of its number, however odd, as it is among everything."""

from collections.abc import Callable

import pytest

from gateway.deps import Deps
from gateway.receivables.documents import FEW, document_of, relations_of
from gateway.tables import Submission


@pytest.mark.parametrize("number", ["F-1", "A/2026_7", '10 % "é" \\n', "F€1"])
def test_what_names_a_number_is_found_among_few_and_among_all(
    deps: Deps, tenant: str, make_invoice: Callable[..., Submission], number: str
) -> None:
    invoice = make_invoice(number=number)
    credit = make_invoice(number="AV-1", type_code="381", preceding=["other", number])
    make_invoice(number="AV-2", type_code="381", preceding=[f"{number}-", "-".join(number)])
    others = [make_invoice(number=f"G-{count}") for count in range(FEW)]
    with deps.db.reading(tenant) as session:
        few, many, every = relations_of(session, [invoice]), relations_of(session, [invoice, *others]), relations_of(
            session)
        back = relations_of(session, [credit])
    around = [{one.id for one in found.of(document_of(invoice)).documents()} for found in (few, many, every)]
    assert around == [{invoice.id, credit.id}] * 3
    assert {one.id for one in back.of(document_of(credit)).documents()} == {invoice.id, credit.id}
