"""The long evidence: `python -m tests.prove [WHAT]`. The tests prove the same with the same code, in small counts."""

import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.crash import survey as in_survey
from tests.crash.proof import FULL, LEAKS, catch_early, catch_forgetful, survive
from tests.documents import open_all
from tests.forms.stage import DatabaseStage, House, MemoryStage
from tests.forms.walks import COUNTED, MUTANTS, Outcome, caught, walks
from tests.telegram_proof import proof as on_telegram
from tests.world import Postgres, Sqlite

ROOT = Path(__file__).parents[1]
REPORT = ROOT / "build" / "prove.json"
EXAMPLES = 500  # of a property, on each database
WALKS = 10_000  # through random forms
WALKS_ON_SQLITE = 100  # through the whole assistant
WALKS_OF_A_MUTANT = 500  # within which it must be caught
SEED = "PROVE_SEED"

Counts = dict[str, Any]


@dataclass(frozen=True)
class Evidence:
    """What a proof counted and, where it failed, why."""

    counts: Counts
    faults: tuple[str, ...]

    @property
    def result(self) -> str:
        """One sentence."""
        return "; ".join(self.faults) or "holds"


def crash(seed: int) -> Evidence:
    """`kill -9` at every fault point and at random instants loses nothing and doubles nothing; mutants are caught."""
    counts: Counts = {"asked": asdict(FULL)}
    faults: list[str] = []
    print(f"crash: {FULL}, on each database", flush=True)
    for name, new in _databases():
        outcome = asyncio.run(survive(new(), FULL, random.Random(seed), _teller(f"crash, {name}")))
        print(f"crash, {name}: {outcome.sentence}", flush=True)
        missed, caught = _mutants(name, new, seed)
        counts[name] = {**outcome.counts, "mutants caught": caught}
        faults += [f"{name}: {sentence}" for sentence in (*outcome.faults[:1], *missed)]
    return Evidence(counts, tuple(faults))


def _mutants(name: str, new: Callable[[], str], seed: int) -> tuple[list[str], list[str]]:
    """Which mutants were missed, and which were caught where."""
    early = asyncio.run(catch_early(new, random.Random(seed)))
    forgetful = asyncio.run(catch_forgetful(new(), random.Random(seed)))
    tried = {f"answers early: {point}": outcome for point, outcome in early.items()}
    tried["knows no update again"] = forgetful
    for mutant, outcome in tried.items():
        print(f"crash, {name}: mutant that {mutant}: {'caught' if outcome.faults else 'lives'}", flush=True)
    missed = [f"answers early: {point}" for point in early if point.startswith(LEAKS)]
    missed.append("knows no update again")
    caught = [mutant for mutant, outcome in tried.items() if outcome.faults]
    return [f"the mutant was not caught that {mutant}" for mutant in missed if mutant not in caught], caught


def survey(seed: int) -> Evidence:
    """`kill -9` around any answer of one survey loses none, keeps none twice, and the next question is right."""
    counts: Counts = {"kills asked, in one survey on each database": in_survey.FULL}
    faults: list[str] = []
    print(f"survey: {in_survey.FULL} kills in one survey, on each database", flush=True)
    for name, new in _databases():
        chance = random.Random(seed)
        kills = in_survey.drawn(in_survey.FULL, chance)
        outcome = asyncio.run(in_survey.survive(new(), kills, chance, _teller(f"survey, {name}")))
        print(f"survey, {name}: {outcome.sentence}", flush=True)
        early = asyncio.run(in_survey.catch_early(new, chance))
        mutants = [f"answers early: {moment}" for moment, one in early.items() if one.faults]
        print(f"survey, {name}: of {len(early)} mutants that answer early {len(mutants)} caught", flush=True)
        counts[name] = {**outcome.counts, "mutants caught": mutants}
        faults += [f"{name}: {sentence}" for sentence in outcome.faults[:1]]
        faults += [f"{name}: a mutant that answers early was not caught"] * (len(early) - len(mutants))
    return Evidence(counts, tuple(faults))


def telegram(seed: int) -> Evidence:
    """On a Telegram that misbehaves, with a service that dies, every update is answered and no limit is passed."""
    outcomes: list[on_telegram.Outcome] = []
    caught: dict[str, str] = {}
    for name, new in _databases():
        for part in (part for part in on_telegram.FULL if part.database == name):
            print(f"telegram: {part}", flush=True)
            tell = _teller(f"telegram, {part.mode}, {name}")
            outcomes.append(asyncio.run(on_telegram.survive(part, new(), seed, tell)))
            print(f"telegram: {outcomes[-1].sentence}", flush=True)
        if name == "sqlite":
            caught = _mutants_on_telegram(new, seed)
    faults = [f"{one.part}: {one.faults[0]}" for one in outcomes if one.faults]
    faults += [f"the mutant was not caught that {mutant}" for mutant, how in caught.items() if not how]
    counts: Counts = {str(one.part): dict(one.counts) for one in outcomes}
    together = sum((one.counts for one in outcomes), Counter[str]())
    return Evidence({"together": dict(together), **counts, "mutants caught": caught}, tuple(faults))


def _mutants_on_telegram(new: Callable[[], str], seed: int) -> dict[str, str]:
    """How each was caught, empty if it was not."""
    caught = {mutant: asyncio.run(on_telegram.catch(mutant, new(), seed)) for mutant in on_telegram.MUTANTS}
    for mutant, how in caught.items():
        print(f"telegram: mutant that {mutant}: {f'caught: {how}' if how else 'lives'}", flush=True)
    return caught


def store(seed: int) -> Evidence:
    """However turns fall into groups, each person hears and keeps the same as with one turn at a time."""
    test = "tests/storage/test_contract.py::test_groups_decide_what_single_turns_decide"
    command = [sys.executable, "-m", "pytest", "-v", f"--hypothesis-seed={seed}", test]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "PROVE_EXAMPLES": str(EXAMPLES)}, check=False)
    faults = () if done.returncode == 0 else (f"pytest ended with {done.returncode}",)
    return Evidence({"examples on each database": EXAMPLES}, faults)


def looks(_seed: int) -> Evidence:
    """Every kind of chart, drawn by a real browser: no word out of its place, read aloud, and whole on paper."""
    command = [sys.executable, "-m", "pytest", "-v", "tests/browser/looks_charts.py"]
    done = subprocess.run(command, cwd=ROOT, check=False)
    return Evidence({}, () if done.returncode == 0 else (f"pytest ended with {done.returncode}",))


def documents(_seed: int) -> Evidence:
    """What we write opens in LibreOffice, and its pages hold what was put in."""
    read: list[str] = []
    faults: list[str] = []
    for name, missing in open_all():
        print(
            f"documents: {name}: {', '.join(missing) + ' is missing' if missing else 'readable'}", flush=True
        )
        faults += [f"{name}: {text!r} cannot be read on its pages" for text in missing]
        read.append(name)
    return Evidence({"documents": read}, tuple(faults))


def forms(seed: int) -> Evidence:
    """Random walks through random forms never raise, lose an answer, ask what does not apply, or go on for ever."""
    house, tell = House(), _teller("forms")
    in_memory = walks(seed, WALKS, lambda form: MemoryStage(house, form), tell)
    with tempfile.TemporaryDirectory() as folder:
        files = Sqlite(Path(folder))
        on_sqlite = walks(
            seed + 1,
            WALKS_ON_SQLITE,
            lambda form: DatabaseStage(house, form, files.new()),
            _teller("forms, sqlite"),
            every=25,
        )
    found = {
        mutant: caught(mutant, seed, WALKS_OF_A_MUTANT, lambda form: MemoryStage(house, form))
        for mutant in MUTANTS
    }
    for mutant, how in found.items():
        tell(f"mutant that {mutant}: {f'caught: {how}' if how else 'lives'}")
    faults = [*_faults(in_memory), *(f"on SQLite: {sentence}" for sentence in on_sqlite.sentences)]
    faults += [f"the mutant was not caught that {mutant}" for mutant, how in found.items() if not how]
    counts = {"in memory": _counted(in_memory), "on SQLite": _counted(on_sqlite), "mutants caught": found}
    return Evidence(counts, tuple(faults))


def _faults(outcome: Outcome) -> list[str]:
    never = [what for what in COUNTED if not outcome.counts[what]]
    return [*outcome.sentences, *(f"never in all walks: {what}" for what in never)]


def _counted(outcome: Outcome) -> Counts:
    return {**{what: outcome.counts[what] for what in COUNTED}, "with a fault": outcome.faults.total()}


PROOFS: dict[str, Callable[[int], Evidence]] = {
    "crash": crash,
    "survey": survey,
    "store": store,
    "looks": looks,
    "telegram": telegram,
    "documents": documents,
    "forms": forms,
}


def main(arguments: list[str]) -> int:
    """Run what is asked; 0 when it holds, 1 when something does not, 2 when there is no such proof."""
    what = arguments[0] if arguments else "all"
    if what != "all" and what not in PROOFS:
        print(f"there is no proof called {what}; there are: {', '.join(PROOFS)}, all", file=sys.stderr)
        return 2
    seed = int(os.environ.get(SEED) or random.SystemRandom().randrange(2**32))
    print(f"seed {seed} ({SEED}={seed} draws the same again)", flush=True)
    held = [_prove(name, seed) for name in (PROOFS if what == "all" else [what])]
    return 0 if all(held) else 1


def _prove(what: str, seed: int) -> bool:
    began = time.monotonic()
    evidence = PROOFS[what](seed)
    seconds = round(time.monotonic() - began, 1)
    print(f"{what}: {evidence.result} ({seconds} s)", flush=True)
    _write(
        {
            "what": what,
            "counts": evidence.counts,
            "seed": seed,
            "seconds": seconds,
            "result": evidence.result,
        }
    )
    return not evidence.faults


def _write(entry: dict[str, Any]) -> None:
    """Put this proof's entry into the report beside the others."""
    REPORT.parent.mkdir(exist_ok=True)
    entries = json.loads(REPORT.read_text()) if REPORT.exists() else {}
    entries[entry["what"]] = entry
    REPORT.write_text(json.dumps(entries, ensure_ascii=False, indent=1) + "\n")


def _teller(name: str) -> Callable[[str], None]:
    return lambda line: print(f"{name}: {line}", flush=True)


def _databases() -> Iterator[tuple[str, Callable[[], str]]]:
    """SQLite, then PostgreSQL: its name, and what makes a new database."""
    with tempfile.TemporaryDirectory() as folder:
        yield "sqlite", Sqlite(Path(folder)).new
    with _postgres() as server:
        yield "postgresql", server.new


@contextmanager
def _postgres() -> Iterator[Postgres]:
    server = Postgres()
    try:
        yield server
    finally:
        server.stop()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
