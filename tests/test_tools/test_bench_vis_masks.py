"""The benchmark of masks compares equal masks, of a small model here."""

import re


def test_both_ways_make_the_same_masks(run_script):
    out = run_script(
        "tools/analysis/bench/bench_vis_masks.py",
        *("--config", "configs/quickstart/masktrack_rcnn_r18_synthetic-youtubevis.py"),
        *("--size", 160, 96, "--instances", 1, 3, "--repeats", 1),
    ).stdout
    rows = re.findall(r"^ +(\d+) .* ([\d.]+)x +([\d.]+)%$", out, re.MULTILINE)
    assert [count for count, _, _ in rows] == ["1", "3"]
