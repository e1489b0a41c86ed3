"""The scenarios and the participants, as data."""

from pathlib import Path

import pytest
from stdnum.fr import siren, siret

from formats.codes import ACTIONS, REASONS, STATUSES
from gateway.sandbox.participants import load_participants
from gateway.sandbox.script import SCRIPTS, Step

STEPS = sorted({step for script in SCRIPTS.values() for step in script.steps}, key=repr)
MEMBERS = load_participants(Path()).members


@pytest.mark.parametrize("step", STEPS, ids=lambda step: f"{step.code}-{step.reason_code}")
def test_every_step_is_a_status_with_a_reason_it_may_have(step: Step) -> None:
    assert STATUSES[step.code].set_by != "seller"
    assert step.reason_code is None or step.reason_code in REASONS[step.code]
    assert step.action_code is None or step.action_code in ACTIONS
    if step.code in {"206", "207", "208", "210", "213"}:
        assert step.reason_code
        assert step.comment
    assert step.after_s > 0


def test_every_behaviour_has_a_participant() -> None:
    assert {member.behaviour for member in MEMBERS} == set(SCRIPTS)


def test_participants_have_right_check_digits_below_every_real_number() -> None:
    for member in MEMBERS:
        assert siren.is_valid(member.siren)
        assert member.siren.startswith("00000")
        for line in member.lines:
            assert line.identifier.startswith(member.siren)
            if line.siret is not None:
                assert siret.is_valid(line.siret)
                assert line.siret.startswith(member.siren)
    assert len({member.siren for member in MEMBERS}) == len(MEMBERS)


def test_a_folder_may_bring_its_own_participants(tmp_path: Path) -> None:
    own = tmp_path / "participants.toml"
    own.write_text('[[participants]]\nsiren = "000002014"\nname = "Le sien"\nbehaviour = "refuse"\n', "utf-8")
    [member] = load_participants(tmp_path).members
    assert (member.behaviour, member.lines[0].identifier) == ("refuse", "000002014")


@pytest.mark.parametrize("text", [
    '[[participants]]\nsiren = "1"\nname = "x"\nbehaviour = "dance"', '[[participants]]\nname = "x"',
    '[[participants]]\nsiren = "1"\nname = "x"\ncolour = "blue"', '[[participants]]\nsiren = "1"',
])
def test_a_mistake_in_the_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "participants.toml").write_text(text, "utf-8")
    with pytest.raises(ValueError, match=r"dance|siren|colour|name"):
        load_participants(tmp_path)
