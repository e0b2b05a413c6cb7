r"""Time a parameter search of 12 combinations against test runs of the same model.

Both run as a user runs them, one after the other; the search starts without a cache. The time of 12
test runs is 12 times that of the one that is measured, unless --all-runs is given. Processor time,
of all processes of a run together, depends less on what else the machine does.

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
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

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


class Seconds(NamedTuple):
    """Time of a script from its start to its end, and of all processors on it."""

    wall: float
    processor: float


def used_processor() -> float:
    """Seconds that all finished child processes used."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def run(script: str, *arguments: str) -> Seconds:
    """Run a script and measure."""
    start, before = time.perf_counter(), used_processor()
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
    return Seconds(time.perf_counter() - start, used_processor() - before)


def tell(name: str, seconds: Seconds, unit: Seconds) -> None:
    """Print times and how often they are those of one test run."""
    ratios = [value / one for value, one in zip(seconds, unit, strict=True)]
    print(
        f"{name:26}{seconds.wall:8.1f} s ({ratios[0]:5.2f}) {seconds.processor:8.1f} s "
        f"({ratios[1]:5.2f})"
    )


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
        many = Seconds(*(count * sum(column) / len(runs) for column in zip(*runs, strict=True)))
        for path in (Path(folder) / "scores").iterdir():
            path.unlink()
        warm = run(script, "--work-dir", folder, *search)
    print(f"{'':26}{'time (test runs)':>18} {'processor (test runs)':>19}")
    tell("one test run", single, single)
    tell(f"search, {count} combinations", cold, single)
    tell("search on the cache", warm, single)
    tell(f"{count} test runs", many, single)


if __name__ == "__main__":
    main()
