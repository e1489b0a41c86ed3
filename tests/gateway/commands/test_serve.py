"""A setting that is none ends the command with a sentence that names it, without its value and without a traceback."""

import pytest

from gateway.commands.serve import main


@pytest.mark.parametrize(("name", "value"), [
    ("PASSERELLE_PORT", "quatre-vingts"), ("PASSERELLE_PORT", "99999"), ("PASSERELLE_SCRUB_DAYS", "-1"),
    ("PASSERELLE_TSA_FALLBACKS", "[{"), ("PASSERELLE_TSA_FALLBACKS", '[{"url": 1}]'),
])
@pytest.mark.parametrize("command", ["serve", "worker", "migrate"])
def test_a_setting_that_is_none_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    assert main([command]) == 2
    said = capsys.readouterr().err
    assert name.removeprefix("PASSERELLE_").casefold() in said.casefold()
    assert value not in said
