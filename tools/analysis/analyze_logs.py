"""Plot curves of training logs (plot_curve), or average their iteration times (cal_train_time)."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mmtrack.apis.cli import user_errors
from mmtrack.utils.reading import check_object, read_text, reading


class Log(NamedTuple):
    """Rows of one log, in the order they were written."""

    path: str
    train: list[dict]
    val: list[dict]


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    tasks = parser.add_subparsers(dest="task", required=True)
    plot = tasks.add_parser("plot_curve", help="draw losses or metrics")
    plot.add_argument("json_logs", nargs="+", help="training logs, <time>.log.json")
    plot.add_argument("--keys", nargs="+", default=["bbox_mAP"], help="values to draw")
    plot.add_argument("--title", help="title of the figure")
    plot.add_argument("--legend", nargs="+", help="one text per log and key")
    plot.add_argument("--backend", help="backend of matplotlib")
    plot.add_argument("--style", default="dark", help="style of seaborn, where it is installed")
    plot.add_argument("--out", help="file of the figure; shown on screen without it")
    plot.set_defaults(run=plot_curve)
    times = tasks.add_parser("cal_train_time", help="average time of an iteration")
    times.add_argument("json_logs", nargs="+", help="training logs, <time>.log.json")
    times.add_argument(
        "--include-outliers", action="store_true", help="count the first entry of each epoch too"
    )
    times.set_defaults(run=cal_train_time)
    return parser.parse_args()


def read_log(path: str) -> Log:
    """Read a log that mmcv's TextLoggerHook wrote.

    Raises:
        FileNotFoundError: no such file.
        ValueError: a line is not json, or there are no entries; the message names the line.
    """
    train: list[dict] = []
    val: list[dict] = []
    lines = read_text(path).rstrip("\n").split("\n")
    for number, line in enumerate(lines, 1):
        try:
            with reading(f"{path}, line {number}", problem="is not json"):
                row = json.loads(line)
        except ValueError:
            if number == len(lines):  # a run that was killed leaves half a line at the end
                break
            raise
        check_object(row, {}, f"{path}, line {number}")
        if row.get("mode") in ("train", "val"):
            (train if row["mode"] == "train" else val).append(row)
    if not train and not val:
        raise ValueError(f"{path} has no entries of training or validation")
    return Log(path, train, val)


def curve(log: Log, key: str) -> tuple[np.ndarray, np.ndarray, str]:
    """One value over the run.

    Returns:
        Abscissa, values, and the name of the abscissa: ``epoch`` for values of the evaluation,
        ``iter`` (counted over all epochs) for values of the training.

    Raises:
        KeyError: the log has no such value; the message lists those it has.
    """
    with reading(log.path, problem=f"holds values of {key!r} that cannot be drawn"):
        return _curve(log, key)


def _curve(log: Log, key: str) -> tuple[np.ndarray, np.ndarray, str]:
    rows = [row for row in log.val if key in row]
    if rows:
        axis = "epoch" if len({row["epoch"] for row in rows}) > 1 or len(rows) == 1 else "iter"
        return np.array([r[axis] for r in rows]), np.array([r[key] for r in rows], float), axis
    rows = [row for row in log.train if key in row]
    if not rows:
        known = sorted({k for row in (*log.train, *log.val) for k in row} - {"mode"})
        raise KeyError(f"{log.path} has no value {key!r}; it has {', '.join(known)}")
    return total_iterations(rows), np.array([row[key] for row in rows], float), "iter"


def total_iterations(rows: list[dict]) -> np.ndarray:
    """Iterations since the start of training; ``iter`` counts from 1 in every epoch.

    A run that logs no epochs of its own (``IterBasedRunner``) keeps counting by itself.
    """
    epochs = np.array([row.get("epoch", 1) for row in rows])
    iterations = np.array([row["iter"] for row in rows])
    if (np.diff(iterations) >= 0).all():
        return iterations
    length = iterations.max()  # the last entry of an epoch is closest to its length
    return (epochs - 1) * length + iterations


def plot_curve(args: argparse.Namespace) -> None:
    """Draw every key of every log into one figure."""
    import matplotlib

    if args.backend is not None:
        matplotlib.use(args.backend)
    elif args.out is not None:
        matplotlib.use("Agg")  # a file needs no display
    import matplotlib.pyplot as plt

    use_style(args.style)
    logs = [read_log(path) for path in args.json_logs]
    names = args.legend or [
        key if len(logs) == 1 else f"{os.path.basename(log.path)}: {key}"
        for log in logs
        for key in args.keys
    ]
    if len(names) != len(logs) * len(args.keys):
        raise ValueError(
            f"--legend has {len(names)} texts for {len(logs)} logs x {len(args.keys)} keys"
        )
    figure, axes = plt.subplots()
    curves = [curve(log, key) for log in logs for key in args.keys]
    for (x, y, _), name in zip(curves, names, strict=True):
        axes.plot(x, y, label=name, marker="o" if len(x) < 30 else None, linewidth=1.2)
    axes.set_xlabel(" / ".join(dict.fromkeys(axis for _, _, axis in curves)))
    axes.legend()
    if args.title is not None:
        axes.set_title(args.title)
    if args.out is None:
        plt.show()
    else:
        Path(args.out).parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(args.out, bbox_inches="tight")
        print(f"figure: {args.out}")
    plt.close(figure)


def use_style(style: str) -> None:
    """Apply a style of seaborn; without seaborn, a grid."""
    try:
        import seaborn
    except ImportError:
        import matplotlib

        matplotlib.rcParams["axes.grid"] = True
        return
    seaborn.set_style(style)


def cal_train_time(args: argparse.Namespace) -> None:
    """Print average iteration times of every log."""
    for path in args.json_logs:
        log = read_log(path)
        means = epoch_times(log, include_outliers=args.include_outliers)
        slowest, fastest = max(means, key=means.get), min(means, key=means.get)
        rows = np.concatenate([times for times in per_epoch(log, args.include_outliers).values()])
        print(f"-----Analyze train time of {path}-----")
        print(f"slowest epoch {slowest}, average time is {means[slowest]:.4f}")
        print(f"fastest epoch {fastest}, average time is {means[fastest]:.4f}")
        print(f"time std over epochs is {np.std(list(means.values())):.4f}")
        print(f"average iter time: {rows.mean():.4f} s/iter\n")


def per_epoch(log: Log, include_outliers: bool) -> dict[int, np.ndarray]:
    """Logged iteration times in seconds, by epoch; the first of each is a warm-up."""
    epochs: dict[int, list[float]] = {}
    for row in log.train:
        if "time" in row:
            epochs.setdefault(row.get("epoch", 1), []).append(row["time"])
    if not epochs:
        raise ValueError(f"{log.path} has no times of training iterations")
    first = 0 if include_outliers else 1
    # An epoch with a single entry keeps it: without it there would be nothing to average.
    return {epoch: np.array(times[first:] or times) for epoch, times in epochs.items()}


def epoch_times(log: Log, *, include_outliers: bool) -> dict[int, float]:
    """Mean iteration time of each epoch in seconds."""
    return {e: float(times.mean()) for e, times in per_epoch(log, include_outliers).items()}


def main() -> None:
    """Run the task."""
    args = parse_args()
    with user_errors():
        args.run(args)


if __name__ == "__main__":
    main()
