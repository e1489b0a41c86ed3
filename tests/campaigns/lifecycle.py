"""The lifecycle at length (`make campaign-lifecycle`): messages against the published rules, and orders of arrival.

1. Every status x every reason allowed x every action (and none), with the amounts of the status per VAT rate: valid
   against the XSD, no failed assertion of the published CDAR rules, the same when read again.
2. Every CDAR of the corpus: read and written back the same, with what is left behind.
3. 5,000 sequences through reader, guard and database (tests/gateway/lifecycle/stories.py), each with its seed; and the
   state machine of test_sequences.py, 5,000 runs of 20 steps.

Progress is printed; `--from SEED` goes on with the sequences after an interruption, `--sequences N` changes how many.
Takes about ten minutes and keeps nothing. Exits 1 if anything differs.
"""

import argparse
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test
from lxml import etree
from saxonche import PySaxonProcessor

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests" / "formats"), str(ROOT / "tests" / "gateway" / "lifecycle")]

from corpus import CORPUS
from packages import package_folder
from statuses import every_message
from stories import Remembering, play
from test_sequences import Lifecycles

from archive.stores.directory import DirectoryStore
from formats.lifecycle import read_status, write_status
from formats.status_loss import not_carried
from gateway.db import Database
from gateway.deps import Bell, Deps
from gateway.settings import Settings
from gateway.tables import Base
from gateway.vault import Vault
from validation.workshop import Workshop

FIRST_SEED = 1_000_000
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
FAILED = "{http://purl.oclc.org/dsdl/svrl}failed-assert"
ROUND = 250


def messages() -> int:
    """How many generated messages break the schema or a rule, or differ when read again."""
    folder = package_folder("pyfrctc")
    schema = etree.XMLSchema(file=folder / "cdar-xsd" / "CrossDomainAcknowledgementAndResponse_100pD22B.xsd")
    processor = PySaxonProcessor(license=False)
    rules = processor.new_xslt30_processor().compile_stylesheet(
        stylesheet_file=str(folder / "cdar-schematron" / "BR-FR-CDV-Schematron-CDAR.xslt"))
    count = bad = 0
    for message in every_message():
        document = write_status(message)
        svrl = etree.fromstring(
            rules.transform_to_string(xdm_node=processor.parse_xml(xml_text=document.decode())).encode())
        failed = [node.get("id") for node in svrl.iter(FAILED)]
        valid = schema.validate(etree.fromstring(document))
        count += 1
        if failed or not valid or read_status(document) != message or not_carried(document):
            bad += 1
            print(f"{message.id}: rules {failed}, schema {valid}", flush=True)
    print(f"messages: {count} generated, {bad} with a finding or a difference", flush=True)
    return bad


def corpus() -> int:
    """How many CDAR of the corpus come back different; what is left behind is printed."""
    found = [path for path in sorted(CORPUS.rglob("*.xml"))
             if b"CrossDomainAcknowledgementAndResponse" in path.read_bytes()[:4000]] if CORPUS.is_dir() else []
    different = 0
    for path in found:
        document = path.read_bytes()
        read, left = read_status(document), not_carried(document)
        different += read_status(write_status(read)) != read
        if left:
            print(f"{path.name} leaves behind: {', '.join(left)}", flush=True)
    print(f"corpus: {len(found)} messages, {different} different when written and read again", flush=True)
    return different


def sequences(first: int, count: int) -> int:
    """How many sequences end otherwise than their story."""
    bad = messages_seen = 0
    started = time.perf_counter()
    with Workshop() as real:
        workshop = Remembering(real)
        for start in range(first, first + count, ROUND):
            with tempfile.TemporaryDirectory() as folder:
                data = Settings(data=Path(folder) / "data", settle_seconds=30)
                db = Database(data.database)
                Base.metadata.create_all(db.engine)
                deps = Deps(
                    settings=data, db=db, store=DirectoryStore(Path(folder) / "objects"), vault=Vault(bytes(32)),
                    bell=Bell(), clock=lambda: NOW, workshop=workshop,  # type: ignore[arg-type]  # only read_status is asked
                )
                for seed in range(start, min(start + ROUND, first + count)):
                    ended, wanted, told = play(deps, seed)
                    messages_seen += told
                    if ended != wanted:
                        bad += 1
                        print(f"seed {seed}: {ended} instead of {wanted}", flush=True)
                db.close()
            print(f"sequences: {min(start + ROUND, first + count) - first} of {count}, {messages_seen} messages, "
                  f"{bad} ended otherwise, {time.perf_counter() - started:.0f} s; go on with --from "
                  f"{min(start + ROUND, first + count)}", flush=True)
    return bad


def main(argv: list[str]) -> int:
    """Run it and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--from", dest="first", type=int, default=FIRST_SEED)
    parser.add_argument("--sequences", type=int, default=5000)
    parser.add_argument("--runs", type=int, default=5000, help="of the state machine")
    asked = parser.parse_args(argv)
    bad = 0 if asked.first > FIRST_SEED else messages() + corpus()
    bad += sequences(asked.first, asked.sequences - (asked.first - FIRST_SEED))
    run_state_machine_as_test(Lifecycles, settings=settings(
        max_examples=asked.runs, stateful_step_count=20, deadline=None, database=None, derandomize=True))
    print(f"state machine: {asked.runs} runs, none ended otherwise", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
