"""The benchmark runs, and what it measures are equal values."""

import re


def test_benchmark_compares_equal_overlaps(run_script):
    options = ("--videos", 3, "--slow-videos", 2, "--frames", 4, "--tracks", 4, "--repeats", 1)
    size = ("--width", 320, "--height", 180)
    out = run_script("tools/analysis/bench/bench_vis_eval.py", *options, *size).stdout
    assert re.findall(r"largest difference (\S+)", out) == ["0.0e+00"] * 2, out
    assert 0 < float(re.search(r"'segm_mAP': ([\d.]+)", out)[1]) < 1
