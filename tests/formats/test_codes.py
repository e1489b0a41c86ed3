"""The code lists hang together."""

from formats import codes


def test_types_are_partitioned() -> None:
    assert set(codes.FRENCH_TYPES) == codes.INVOICE_TYPES | codes.CREDIT_TYPES
    assert not codes.INVOICE_TYPES & codes.CREDIT_TYPES
    assert codes.CORRECTIVE_TYPES < codes.INVOICE_TYPES
    assert set(codes.FRENCH_TYPES) > codes.SELF_BILLED_TYPES | codes.PREPAYMENT_TYPES | codes.FACTORED_TYPES


def test_every_reason_has_words_and_every_word_a_use() -> None:
    answers = (*codes.REASONS.values(), *codes.PORTAL_REASONS.values(), codes.REFUSAL_REASONS_B2G)
    used = {reason for reasons in answers for reason in reasons}
    heard_only = {"IRR_TAILLE", "IRR_UNICITE", "IRR_VIDE", "IRR_FORM", "IRR_TYPE", "IRR_CODE_INTER", "IRR_EXTRAC",
                  "IRR_CODE_APP", "CONTACT_ACHTR"}  # no list gives them to a status
    assert used | heard_only == set(codes.REASON_LABELS)
    assert not used & heard_only
    assert set(codes.REASONS) <= set(codes.STATUSES)


def test_a_platform_speaks_305_and_a_party_23() -> None:
    for status in codes.STATUSES.values():
        speaker = {"buyer": "23", "seller": "23", "ppf": status.type_code}.get(status.set_by, "305")
        assert status.type_code == speaker, status.code
    mandatory = {status.code for status in codes.STATUSES.values() if status.mandatory_for_ppf}
    assert mandatory == {"200", "210", "212", "213"}


def test_frames_say_goods_services_or_both() -> None:
    assert len(codes.FRAMES) == 20
    assert {frame[0] for frame in codes.FRAMES} == {"B", "S", "M"}


def test_labels_are_bilingual() -> None:
    tables = (codes.FRENCH_TYPES, codes.FRAMES, codes.NOTE_SUBJECTS, codes.SCHEMES, codes.REASON_LABELS, codes.ACTIONS,
              codes.AMOUNT_TYPES, codes.ROLES)
    assert all(label.fr and label.en for table in tables for label in table.values())
