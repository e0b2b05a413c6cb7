"""Damaged files end in one message that names them; nothing hangs, runs or is written elsewhere.

A case is a seed. More rounds, or one case alone with its traceback:

    MMTRACK_FUZZ_ROUNDS=2000 python -m pytest tests/test_fuzz -m slow
    MMTRACK_FUZZ_CASE=ilsvrc-xml:17 python -m pytest tests/test_fuzz -k one_case -s -m ""
"""

from __future__ import annotations

import os
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from test_fuzz import readers_binary, readers_json, readers_text, readers_training
from test_fuzz.reader import Reader
from test_fuzz.sandbox import run_cases

READERS = {
    reader.name: reader
    for module in (readers_json, readers_text, readers_binary, readers_training)
    for reader in module.READERS
}
DEFAULT_ROUNDS = 25
ROUNDS = int(os.environ.get("MMTRACK_FUZZ_ROUNDS", "500"))
SHOWN = 8

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="the sandbox forks and reads /proc"
)


def fuzz(reader: Reader, seeds: range, tmp_path: Path) -> list:
    """Run cases and fail on those that break the contract."""
    folder = tmp_path / "case"
    cases = run_cases(
        reader.prepare, partial(reader.run, folder=folder), reader.names, seeds, folder
    )
    broken = [case for case in cases if case.verdict == "broken"]
    lines = [f"MMTRACK_FUZZ_CASE={reader.name}:{case.seed}  {case.text}" for case in broken]
    assert not broken, f"{len(broken)} of {len(cases)} cases:\n" + "\n".join(lines[:SHOWN])
    return cases


@pytest.mark.parametrize("name", READERS)
def test_damaged_files(name, tmp_path):
    cases = fuzz(READERS[name], range(DEFAULT_ROUNDS), tmp_path)
    assert len(cases) == DEFAULT_ROUNDS
    if READERS[name].refuses:
        verdicts = {case.verdict for case in cases}
        assert "refused" in verdicts, "nothing was refused: is it read?"


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_many_damaged_files(name, tmp_path):
    first = int(os.environ.get("MMTRACK_FUZZ_FIRST", "1000"))
    fuzz(READERS[name], range(first, first + ROUNDS), tmp_path)


@pytest.mark.parametrize("name", READERS)
def test_good_files(name, tmp_path):
    """What is damaged was good before, so that the damage is what is tested."""
    reader = READERS[name]
    folder = tmp_path / "case"
    (folder / "out").mkdir(parents=True)
    reader.run(reader.prepare(folder, -1), folder)


@pytest.mark.skipif("MMTRACK_FUZZ_CASE" not in os.environ, reason="MMTRACK_FUZZ_CASE=NAME:SEED")
def test_one_case(tmp_path):
    """One case in this process, with its traceback; the file stays where the output says."""
    name, seed = os.environ["MMTRACK_FUZZ_CASE"].rsplit(":", 1)
    folder = tmp_path / "case"
    (folder / "out").mkdir(parents=True)
    path = READERS[name].prepare(folder, int(seed))
    print(f"\n{path}")
    start = time.monotonic()
    try:
        READERS[name].run(path, folder)
    finally:
        print(f"{time.monotonic() - start:.2f} s")
