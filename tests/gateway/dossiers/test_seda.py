"""The SEDA 2.2 manifest against the published schema (`make oracles` fetches it)."""

from dataclasses import replace
from pathlib import Path

import pytest
from archive_world import NOW, make_dossier, make_world
from lxml import etree

from gateway.dossiers.seda import NAMESPACE, manifest_of

SCHEMA = Path(__file__).parents[3] / "oracles" / "seda" / "seda-2.2-main.xsd"


@pytest.mark.skipif(not SCHEMA.is_file(), reason="the schema of SEDA 2.2 is not here (make oracles)")
def test_the_manifest_is_valid_and_a_spoiled_one_is_not(tmp_path: Path) -> None:
    schema = etree.XMLSchema(etree.parse(SCHEMA))
    dossier = make_dossier(make_world(tmp_path))
    for made in (dossier, replace(dossier, tenant=""), replace(dossier, invoice="F \x01 <é> & co")):
        schema.assertValid(etree.fromstring(manifest_of(made, NOW)))
    spoiled = etree.fromstring(manifest_of(dossier, NOW))
    digest = spoiled.find(f".//{{{NAMESPACE}}}MessageDigest")
    digest.getparent().remove(digest)
    assert not schema.validate(spoiled)
