"""The benchmark of the pipelines runs, and finds equal tensors."""

from __future__ import annotations


def test_every_row_is_equal(run_script):
    done = run_script("tools/analysis/bench/bench_pipeline.py", "--frames", 1, "--repeat", 1)
    rows = [
        line
        for line in done.stdout.splitlines()
        if "1088" in line or "1440" in line or "VID" in line
    ]
    assert len(rows) == 3, done.stdout
    assert all(row.split()[-1] == "True" for row in rows), done.stdout
