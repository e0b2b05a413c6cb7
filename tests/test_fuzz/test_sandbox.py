"""The sandbox notices what it is there for."""

from __future__ import annotations

import os
import pickle
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from test_fuzz import sandbox
from test_fuzz.mutators import BYTES, JSON, TABLE, XML, mutate
from test_fuzz.sandbox import run_cases

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="the sandbox forks and reads /proc"
)


class Harmful:
    """Makes a folder when it is unpickled."""

    def __reduce__(self):
        return os.mkdir, ("made",)


def unpickle_harm(path):
    pickle.loads(pickle.dumps(Harmful()))


def spin(path):
    while True:
        pass


BAD = {
    "bare error": (lambda p: {}["key"], "KeyError: 'key'"),
    "another file": (lambda p: os.stat("/nowhere/else"), "FileNotFoundError"),
    "write": (lambda p: p.with_name("new").write_text("x"), "open for writing .*new"),
    "write elsewhere": (lambda p: (p.parents[1] / "new").write_text("x"), "open for writing .*new"),
    "the file": (lambda p: p.write_text("other"), "changed case/a.txt"),
    "remove": (lambda p: p.unlink(), "os.remove"),
    "make a folder": (lambda p: p.with_name("new").mkdir(), "os.mkdir"),
    "system": (lambda p: os.system("true"), "os.system"),
    "process": (lambda p: subprocess.run(["true"], check=False), "subprocess.Popen"),
    "eval": (lambda p: eval("1 + 1"), "executes code from <string>"),
    "exec": (lambda p: exec(compile(p.read_text(), str(p) + "x", "exec")), "executes code from"),
    "pickle": (unpickle_harm, "unpickles posix.mkdir"),
    "memory": (lambda p: len(np.ones(6_000_000)), "took [0-9]+ MB"),
    "crash": (lambda p: os.kill(os.getpid(), signal.SIGSEGV), "died of signal 11"),
    "exit": (lambda p: os._exit(3), "ended with status 3"),
    "hang": (spin, "CaseTimeout"),
}


def cases_of(read, tmp_path, seeds=(0, 1)):
    def prepare(folder: Path, seed: int) -> Path:
        path = folder / "a.txt"
        path.write_text("1")
        return path

    return run_cases(prepare, read, lambda p: (p.name,), seeds, tmp_path / "case")


@pytest.mark.parametrize(("read", "message"), BAD.values(), ids=BAD.keys())
def test_misbehaviour_is_noticed(tmp_path, monkeypatch, read, message):
    monkeypatch.setattr(sandbox, "CPU_SECONDS", 1)
    monkeypatch.setattr(sandbox, "GROWTH", 20 << 20)
    first = []

    def read_after_the_good_file(path):
        if first:
            read(path)
        first.append(1)

    cases = cases_of(read_after_the_good_file, tmp_path)
    assert [case.seed for case in cases] == [0, 1], "the cases after a crash run as well"
    assert {case.verdict for case in cases} == {"broken"}
    for case in cases:
        assert re.search(message, case.text), case.text


def test_a_process_that_says_nothing_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(sandbox, "WALL_SECONDS", 1)
    first = []

    def sleep(path):
        if first:
            signal.pause()
        first.append(1)

    cases = cases_of(sleep, tmp_path, (0,))
    assert cases[0].text == "no answer for 1 s"


def test_good_behaviour_passes(tmp_path):
    def read(path):
        (path.parent / "out" / "result").write_text("x")
        raise ValueError(f"{path} is damaged")

    def quiet(path):
        (path.parent / "out" / "result").write_text("x")

    first = []

    def read_after_the_good_file(path):
        (read if first else quiet)(path)
        first.append(1)

    assert {c.verdict for c in cases_of(read_after_the_good_file, tmp_path)} == {"refused"}
    assert {c.verdict for c in cases_of(quiet, tmp_path)} == {"accepted"}


SAMPLES = {
    "bytes": (b"some bytes 123", BYTES),
    "json": (b'{"a": [1, {"b": "c"}], "d": null}', JSON),
    "table": (b"1,2,3\n4,5,6\n", TABLE),
    "xml": (b"<a><folder>f</folder><size><width>1</width></size></a>", XML),
}


@pytest.mark.parametrize(("data", "mutators"), SAMPLES.values(), ids=SAMPLES.keys())
def test_mutations_differ_and_repeat(data, mutators):
    found = [mutate(data, mutators, np.random.default_rng(seed)) for seed in range(200)]
    again = [mutate(data, mutators, np.random.default_rng(seed)) for seed in range(200)]
    assert found == again
    assert len(set(found)) > 100
    assert sum(item != data for item in found) > 180
