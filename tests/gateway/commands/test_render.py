"""`passerelle render` and `convert` with a look: remarks are told, what cannot be drawn is refused."""

from pathlib import Path

import pytest

from gateway.commands.documents import main

INVOICE = str(Path(__file__).parents[2] / "vectors" / "rendering" / "invoice.json")


@pytest.mark.parametrize("command", [["render"], ["convert", "--to", "factur-x"]])
def test_a_remark_is_told(command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.pdf"

    code = main([*command, INVOICE, "--accent", "#ffcc00", "--footer", "Siège", "--no-payment-code", "-o", str(out)])

    assert (code, out.read_bytes()[:5]) == (0, b"%PDF-")
    assert "accent-darkened: Couleur #ffcc00" in capsys.readouterr().err


@pytest.mark.parametrize(("options", "code", "message"), [
    (["--accent", "red"], 1, "no colour"), (["--logo", INVOICE], 1, "PNG, JPEG or SVG"),
    (["--logo", "absent.png"], 2, "absent.png"), (["--footer", "x" * 501], 1, "501 characters"),
])
def test_what_cannot_be_drawn_is_refused(
    options: list[str], code: int, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["render", INVOICE, *options, "-o", str(tmp_path / "out.pdf")]) == code
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out.pdf").exists()


@pytest.mark.parametrize("command", [["extract"], ["convert", "--to", "ubl"]])
def test_a_refusal_of_a_pdf_is_told_in_french_first(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "facture.pdf").write_bytes(b"%PDF-1.7 and nothing more")

    assert main([*command, str(tmp_path / "facture.pdf")]) == 1
    assert "pdf-damaged: le PDF est endommagé / the PDF is broken" in capsys.readouterr().err
