"""Every report sample is read as the file beside it says, as if received on March 10, 2026."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from changeover import rulefiles
from changeover.core.stay import Observation, Rules
from changeover.sources.csv import suppliers
from changeover.sources.csv.inbox import InboxFile
from changeover.sources.csv.memory import Memory
from changeover.sources.csv.observe import observe
from changeover.sources.csv.properties import Home, PropertyDirectory

FOLDER = Path(__file__).parent
SAMPLES = sorted(FOLDER.glob("*.csv"))
NOW = datetime.fromisoformat("2026-03-10T08:00:00-07:00")
RULES = Rules(ZoneInfo("America/Phoenix"))
IRIS, GIDEON = "Iris Vandermeer", "Gideon Hartwell"
HOMES = (
    Home("recSaguaro", "Saguaro Loft #40000001"),
    Home("recMesquite", "Mesquite Casita #40000002"),
    Home("recPaloVerde", "Palo Verde Cabin #40000003  Unit B"),
    Home("recCholla", "Cholla Bungalow #40000004"),
    Home("recQuailRun", "Quail Run Casita #40000005"),
    Home("recOcotillo", "Ocotillo House #510020", IRIS),
    Home("recAgave", "Agave Retreat #510021", IRIS),
    Home("recIronwood", "Ironwood Villa #510034", GIDEON),
)


def file(sample: Path) -> InboxFile:
    raw = sample.read_bytes()
    return InboxFile(sample.name, NOW, raw, hashlib.sha256(raw).hexdigest())


def described(observation: Observation) -> dict[str, object]:
    found: dict[str, object] = {
        "uid": observation.uid,
        "home": observation.property_id,
        "nights": f"{observation.check_in}/{observation.check_out}",
        "kind": str(observation.kind),
    }
    if observation.block_type:
        found["block_type"] = observation.block_type
    if observation.canceled:
        found["canceled"] = True
    report = observation.report
    if report is not None:
        found["next_guest"] = report.next_guest.isoformat() if report.next_guest else None
        found["next_is_owner"] = report.next_is_owner
        found["info"] = (report.info or "").splitlines()
    return found


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_is_read_as_its_neighbour_says(sample: Path) -> None:
    forms = suppliers.load(rulefiles.find(name, FOLDER) for name in suppliers.FILES)
    earlier = Memory(addresses={"510020": frozenset({"12 E Example Ave, Mesa, AZ 85203"})})
    files = [file(sample)]
    if sample.stem.endswith("tab2"):
        files.append(file(FOLDER / "evolve_tab1.csv"))
    results = observe(files, PropertyDirectory(HOMES), earlier, now=NOW, rules=RULES, suppliers=forms)
    found = next(each for each in results if any(one.file.name == sample.name for one in each.files))
    assert found.batch is not None
    assert found.batch.window is not None
    assert {
        "source": found.batch.source.key,
        "window": [str(found.batch.window.edge), str(found.batch.window.first), str(found.batch.window.last)],
        "complete": found.batch.complete,
        "read": found.batch.read,
        "dropped": dict(found.batch.dropped),
        "observations": [described(each) for each in found.batch.observations],
        "set aside": [[row.line, row.why] for each in found.files for row in each.set_aside],
        "warnings": [text for _, text in found.warnings],
    } == json.loads(sample.with_suffix(".json").read_text())


def test_every_sample_has_an_expectation_and_a_word_in_the_table() -> None:
    table = (FOLDER / "README.md").read_text()
    for sample in SAMPLES:
        assert sample.with_suffix(".json").exists()
        assert sample.stem in table
