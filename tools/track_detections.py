r"""Track detections that exist already, and score the tracks where ground truth is given.

The tracker and motion parts of a MOT config run on detections from files; no network is built and
no image is read. Example:

    python tools/track_detections.py \
        configs/mot/bytetrack/bytetrack_yolox_x_crowdhuman_mot17-private-half.py \
        --detections MOT15/train --gt MOT15/train --out out/
"""

from __future__ import annotations

import argparse
import os

# Idle OpenMP threads that spin slow a busy machine down; read by torch when it is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch

from mmtrack.apis.cli import add_config_options, load_config, user_errors
from mmtrack.apis.track_detections import track_detections
from mmtrack.core.evaluation import MOTTable, evaluate_mot_challenge, format_score_table
from mmtrack.core.track import interpolate_tracks
from mmtrack.core.utils import Progress
from mmtrack.datasets.parsers.detections import (
    read_detections,
    read_ground_truth,
    read_sequence_lengths,
)
from mmtrack.datasets.parsers.mot_txt import write_mot_txt

from mmcv import Config


def parse_args() -> argparse.Namespace:
    """Arguments of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", help="MOT config; its model.tracker and model.motion are used")
    parser.add_argument(
        "--detections",
        required=True,
        help="folder in the MOTChallenge layout (SEQUENCE/det/det.txt) or of SEQUENCE.txt files, "
        "one det.txt, or a .json or .pkl file {det_bboxes: {file_name: one array per class}}",
    )
    parser.add_argument("--out", required=True, help="folder that receives SEQUENCE.txt files")
    parser.add_argument("--gt", help="folder with SEQUENCE/gt/gt.txt; prints CLEAR, IDF1 and HOTA")
    parser.add_argument(
        "--benchmark",
        choices=["MOT15", "MOT16", "MOT17", "MOT20", "DanceTrack"],
        help="rules of scoring; by default those of MOT15 where the ground truth names no classes "
        "and those of MOT17 elsewhere (distractors are set aside)",
    )
    parser.add_argument(
        "--interpolate",
        action="store_true",
        help="fill gaps of the tracks (data.test.interpolate_tracks_cfg of the config)",
    )
    add_config_options(parser)
    return parser.parse_args()


def fill_gaps(cfg: Config, table: MOTTable) -> MOTTable:
    """Interpolate the tracks of a video as the test set of the config says."""
    settings = cfg.data.test.get("interpolate_tracks_cfg") or {}
    boxes = table.boxes.copy()
    boxes[:, 2:] += boxes[:, :2]
    rows = np.column_stack((table.frames, table.ids, boxes, table.scores))
    rows = interpolate_tracks(rows, **settings)
    rows[:, 4:6] -= rows[:, 2:4]
    return MOTTable.from_columns(rows[:, 0], rows[:, 1], rows[:, 2:6], scores=rows[:, 6])


def track_all(
    cfg: Config, detections: dict[str, MOTTable], lengths: dict[str, int]
) -> dict[str, MOTTable]:
    """Track every sequence, and show the progress and speed."""
    counts = {
        name: max(lengths.get(name, 0), int(table.frames.max(initial=0)))
        for name, table in detections.items()
    }
    results = {}
    with Progress(sum(counts.values())) as progress:
        for name, table in detections.items():
            results[name] = track_detections(
                cfg, table, length=counts[name], on_frame=progress.update
            )
    return results


def score(gt: dict[str, MOTTable], results: dict[str, MOTTable], args: argparse.Namespace) -> None:
    """Print CLEAR, IDF1 and HOTA of the sequences that have ground truth."""
    lengths = read_sequence_lengths(args.gt, list(gt))
    classes_known = any((table.classes >= 0).any() for table in gt.values())
    benchmark = args.benchmark or ("MOT17" if classes_known else "MOT15")
    unknown = sorted(set(results) - set(gt))
    if unknown:
        print(f"No ground truth, not scored: {', '.join(unknown)}")
    scores = evaluate_mot_challenge(
        gt,
        {name: results[name] for name in gt},
        benchmark=benchmark,
        seq_lengths=lengths or None,
    )
    print(f"Scores (rules of {benchmark}):")
    print(format_score_table(scores))


def main() -> None:
    """Track, write, score."""
    args = parse_args()
    with user_errors():
        run(args)


def run(args: argparse.Namespace) -> None:
    """Everything after the command line."""
    cfg = load_config(args)
    # The frames are small and follow each other: threads would only wait for one another.
    torch.set_num_threads(1)
    detections = read_detections(args.detections)
    gt = read_ground_truth(args.gt, list(detections)) if args.gt else {}
    if (cfg.get("model", {}).get("tracker") or {}).get("reid"):
        print("The appearance part of the config is not used: there are no images.")
    lengths = read_sequence_lengths(args.gt or args.detections, list(detections))
    results = track_all(cfg, detections, lengths)
    if args.interpolate:
        results = {name: fill_gaps(cfg, table) for name, table in results.items()}
    for name, table in results.items():
        write_mot_txt(os.path.join(args.out, f"{name}.txt"), table)
    print(f"Results: {os.path.abspath(args.out)}")
    if gt:
        score(gt, results, args)


if __name__ == "__main__":
    main()
