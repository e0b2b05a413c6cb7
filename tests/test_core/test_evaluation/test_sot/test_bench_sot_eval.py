"""The benchmark runs, and what it measures are equal values."""

import re


def test_benchmark_compares_equal_scores(run_script):
    options = ("--videos", 4, "--frames", 200, "--repeats", 1)
    out = run_script("tools/analysis/bench/bench_sot_eval.py", *options).stdout
    differences = [float(v) for v in re.findall(r"largest difference (\S+)", out)]
    assert len(differences) == 2, out
    assert max(differences) < 1e-9
