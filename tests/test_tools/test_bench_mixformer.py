"""The benchmark of MixFormer compares two ways to the same box."""

import re
import runpy
import sys

from mmcv import Config
from tiny_mixformer import config


def test_both_ways_find_the_same_box(root, tmp_path, monkeypatch, capsys):
    path = tmp_path / "tiny.py"
    Config({"model": config()}).dump(str(path))
    monkeypatch.setattr(sys, "argv", ["bench", "--config", str(path), "--frames", "2"])
    runpy.run_path(str(root / "tools/analysis/bench/bench_mixformer.py"), run_name="__main__")
    out = capsys.readouterr().out
    times = dict(re.findall(r"^(\w.*?) +([\d.]+) ms$", out, re.MULTILINE))
    assert {"remembered templates", "everything in every frame"} <= set(times)
    assert all(float(value) > 0 for value in times.values())
    assert float(re.search(r"boxes differ by (\S+) pixels", out)[1]) < 1e-4
