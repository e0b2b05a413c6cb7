"""The benchmark of training items compares equal crops."""

import re


def test_both_ways_make_the_same_item(run_script):
    out = run_script("tools/analysis/bench/bench_sot_item.py", "--items", 2, "--frames", 2).stdout
    found = dict(re.findall(r"^(plain|ours|ratio) +([\d.]+)", out, re.MULTILINE))
    assert set(found) == {"plain", "ours", "ratio"}
    difference = float(re.search(r"largest difference of the crops: (\S+)", out)[1])
    assert difference < 0.05  # grey levels; the mean of a float32 frame is rounded
