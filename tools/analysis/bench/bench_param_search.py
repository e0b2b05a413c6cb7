r"""Time a parameter search of 12 combinations against test runs of the same model.

Both run as a user runs them, one after the other; the search starts without a cache. The time of 12
test runs is 12 times that of the one that is measured, unless --all-runs is given.

Example:
    python tools/analysis/bench/bench_param_search.py \
        configs/quickstart/bytetrack_yolox_tiny_synthetic-mot17.py \
        --search model.tracker.match_iou_thrs.high="[0.1,0.2,0.3]" \
        model.tracker.init_track_thr="[0.5,0.6,0.7,0.8]"
"""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def parse_args() -> argparse.Namespace:
    """Arguments of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", help="MOT config whose test data exist")
    parser.add_argument("--checkpoint", help="weights; random ones by default")
    parser.add_argument("--search", nargs="+", required=True, help="settings as lists of values")
    parser.add_argument("--options", nargs="+", default=[], help="further --cfg-options of both")
    parser.add_argument("--all-runs", action="store_true", help="run tools/test.py for each")
    return parser.parse_args()


def run(script: str, *arguments: str) -> float:
    """Seconds that a script takes, from its start to its end."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, str(ROOT / script), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    if done.returncode:
        raise SystemExit(f"{script} failed:\n{done.stdout}\n{done.stderr}")
    return time.perf_counter() - start


def main() -> None:
    """Measure."""
    args = parse_args()
    weights = ["--checkpoint", args.checkpoint] if args.checkpoint else ["--allow-random-weights"]
    first = [f"{key}={values.strip('[]').split(',')[0]}" for key, values in
             (setting.split("=", 1) for setting in args.search)]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        common = [args.config, *weights, "--eval", "track", "--cfg-options", *args.options]
        single = run("tools/test.py", *common, *first)
        search = [*common, *args.search]
        script = "tools/analysis/mot/mot_param_search.py"
        cold = run(script, "--work-dir", folder, *search)
        with open(Path(folder) / "scores.csv", newline="") as file:
            count = sum(1 for _ in csv.reader(file)) - 1
        repeats = count - 1 if args.all_runs else 0
        runs = [single, *(run("tools/test.py", *common, *first) for _ in range(repeats))]
        many = count * sum(runs) / len(runs)
        for path in (Path(folder) / "scores").iterdir():
            path.unlink()
        warm = run(script, "--work-dir", folder, *search)
    print(f"one test run            {single:8.1f} s")
    print(f"search, {count:3d} combinations {cold:7.1f} s = {cold / single:.2f} x one run")
    print(f"search on the cache     {warm:8.1f} s = {warm / single:.2f} x one run")
    print(f"{count} test runs            {many:8.1f} s = {many / cold:.1f} x the search")


if __name__ == "__main__":
    main()
