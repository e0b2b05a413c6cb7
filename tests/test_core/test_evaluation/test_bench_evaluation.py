"""The benchmark runs, and what it measures are equal values."""

import re


def test_benchmark_compares_equal_scores(run_script):
    out = run_script(
        "tools/analysis/bench/bench_evaluation.py",
        *("--sequences", 2, "--frames", 60, "--tracks", 8, "--images", 20, "--repeats", 1),
    ).stdout
    differences = [float(v) for v in re.findall(r"largest difference to .*: (\S+)", out)]
    assert len(differences) == 2, out
    assert max(differences) < 1e-9
    aps = re.findall(r"mAP (\S+)", out)
    assert len(aps) == 2
    assert aps[0] == aps[1]
    assert len(re.findall(r"\d+\.\d x", out)) == 7
