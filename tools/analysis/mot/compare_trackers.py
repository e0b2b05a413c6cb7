r"""Compare trackers on one set of detections: scores and speed per sequence, HOTA curves.

On the test data set and with the detector of the first config; the network sees each frame once:
    python tools/analysis/mot/compare_trackers.py \
        configs/quickstart/sort_yolox_tiny_synthetic-mot17.py \
        configs/quickstart/ocsort_yolox_tiny_synthetic-mot17.py --checkpoint FILE --out out

On files, without network or images:
    python tools/analysis/mot/compare_trackers.py \
        configs/mot/deepsort/sort_faster-rcnn_fpn_4e_mot17-private.py \
        configs/mot/ocsort/ocsort_yolox_x_crowdhuman_mot17-private-half.py \
        --detections MOT15/train --gt MOT15/train --out out

The folder --out receives scores.csv and hota.png. Appearance is compared where the first config has
a ReID model. Trackers that read features of the frames (Tracktor, QDTrack) cannot take part.
"""

from __future__ import annotations

import argparse
import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # OpenMP reads it when torch is imported

import csv
import io
import os.path as osp
import time
from typing import Any, NamedTuple

import numpy as np
import torch

from mmtrack.apis.cli import (
    add_config_options,
    add_device_argument,
    add_speed_arguments,
    add_trust_argument,
    file_errors,
    load_config,
    user_errors,
)
from mmtrack.apis.detection_files import DetectionFiles
from mmtrack.apis.mot_search import results_of
from mmtrack.apis.recorded_dataset import RecordedDataset
from mmtrack.apis.replay import VideoDetections, VideoTracks, replay
from mmtrack.apis.track_detections import build_blind_tracker, table_of_tracks
from mmtrack.core.evaluation import (
    MOTTable,
    evaluate_mot_challenge,
    format_score_table,
    mot_challenge_curves,
)
from mmtrack.models import build_motion, build_tracker
from mmtrack.utils.file_io import atomic_write

import mmcv

COLUMNS = ("HOTA", "DetA", "AssA", "MOTA", "IDF1", "MT", "ML", "FP", "FN", "IDs", "FM")
SPEED = "FPS"
OVERALL = "OVERALL"
THRESHOLDS = np.arange(1, 20) / 20


def parse_args() -> argparse.Namespace:
    """Read and check the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("configs", nargs="+", metavar="CONFIG", help="MOT configs to compare")
    parser.add_argument("--checkpoint", help="weights of the model of the first config")
    parser.add_argument(
        "--detections", help="compare on these files, see tools/track_detections.py"
    )
    parser.add_argument("--gt", help="with --detections: folder with SEQUENCE/gt/gt.txt")
    parser.add_argument("--benchmark", help="with --detections: rules of scoring, such as MOT17")
    parser.add_argument("--out", required=True, help="folder that receives scores.csv and hota.png")
    parser.add_argument("--cache", help="folder of the detections; one of its own in --out")
    parser.add_argument("--fuse-conv-bn", action="store_true", help="fold batch norms")
    parser.add_argument("--gpu-id", type=int, default=0, help="index of the GPU of this run")
    parser.add_argument(
        "--allow-random-weights", action="store_true", help="compare without loaded weights"
    )
    add_config_options(parser)
    add_device_argument(parser)
    add_trust_argument(parser)
    add_speed_arguments(parser)
    args = parser.parse_args()
    if bool(args.detections) != bool(args.gt):
        parser.error("--detections and --gt belong together")
    args.work_dir, args.launcher = args.out, "none"
    return args


class Compared(NamedTuple):
    """Results of a tracker.

    Attributes:
        scores: Scores by sequence, ``'OVERALL'`` last.
        curves: HOTA and its parts at each threshold.
        seconds: Time of the tracker by sequence, without the network.
    """

    scores: dict[str, dict[str, float]]
    curves: dict[str, np.ndarray]
    seconds: dict[str, float]


class Material(NamedTuple):
    """What is compared on.

    Attributes:
        videos: Detections by sequence.
        gt: Ground truth by sequence.
        lengths: Frames by sequence, where known.
        benchmark: Rules of scoring.
        tables: Makes tables of the tracks of all sequences.
    """

    videos: dict[str, VideoDetections]
    gt: dict[str, MOTTable]
    lengths: dict[str, int]
    benchmark: str
    tables: Any


def from_files(args: argparse.Namespace) -> Material:
    """Detections from files."""
    files = DetectionFiles(args.detections, args.gt, args.benchmark)

    def tables(tracks: dict[str, VideoTracks]) -> dict[str, MOTTable]:
        return {name: table_of_tracks(each) for name, each in tracks.items()}

    return Material(files.videos, files.gt, files.lengths, files.benchmark, tables)


def from_network(configs: list[mmcv.Config], args: argparse.Namespace) -> Material:
    """Detections of the first config's model on its test data set."""
    recorded = RecordedDataset(configs[0], [cfg.model.tracker for cfg in configs], args)
    if recorded.network.keeps_tracks:
        raise ValueError(
            "a tracker that reads features of the frames (Tracktor, QDTrack) cannot run on "
            "recorded detections: score it with tools/test.py"
        )
    dataset = recorded.dataset
    if not hasattr(dataset, "sequences"):
        raise ValueError(f"{type(dataset).__name__} is no data set of MOTChallenge's kind")
    recorded.prepare()
    numbers = {v["name"]: v["id"] for v in dataset.coco.dataset["videos"]}
    empty = [[np.zeros((0, 6))] * len(dataset.CLASSES)] * len(dataset)
    gt, _, lengths = dataset.sequences({"track_bboxes": empty})
    videos = {n: VideoDetections(**recorded.network.store.load(numbers[n])) for n in gt}

    def tables(tracks: dict[str, VideoTracks]) -> dict[str, MOTTable]:
        results = results_of(dataset, {numbers[name]: each for name, each in tracks.items()})
        return dataset.sequences({"track_bboxes": results})[1]

    return Material(videos, gt, lengths, dataset.get_benchmark_and_eval_split()[0], tables)


def compare(cfg: mmcv.Config, material: Material) -> Compared:
    """Track all sequences and score."""
    settings, tracks, seconds = cfg.model.tracker, {}, {}
    motion = build_motion(cfg.model.motion)
    blind = not any(video.embeds.shape[1] for video in material.videos.values())
    tracker = (build_blind_tracker if blind else build_tracker)(settings)
    for name, video in material.videos.items():
        start = time.perf_counter()
        tracks[name] = replay(tracker, motion, video)
        seconds[name] = time.perf_counter() - start
    tables = material.tables(tracks)
    rules = {"benchmark": material.benchmark, "seq_lengths": material.lengths or None}
    scores = evaluate_mot_challenge(material.gt, tables, **rules)
    return Compared(scores, mot_challenge_curves(material.gt, tables, **rules), seconds)


def table_rows(found: dict[str, Compared], material: Material) -> dict[str, dict[str, float]]:
    """Scores and frames a second of each tracker on each sequence, all sequences first."""
    rows = {}
    counts = {name: len(video.counts) for name, video in material.videos.items()}
    for sequence in (OVERALL, *material.videos):
        names = list(counts) if sequence == OVERALL else [sequence]
        for tracker, each in found.items():
            frames = sum(counts[name] for name in names)
            speed = frames / max(sum(each.seconds[name] for name in names), 1e-9)
            scores = {key: each.scores[sequence][key] for key in COLUMNS}
            rows[f"{sequence} {tracker}"] = {**scores, SPEED: round(speed)}
    return rows


def write_csv(path: str, rows: dict[str, dict[str, float]]) -> None:
    """Write the table with full precision."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["sequence", "tracker", *COLUMNS, SPEED])
    for name, row in rows.items():
        writer.writerow([*name.split(" ", 1), *row.values()])
    with atomic_write(path) as file:
        file.write(text.getvalue())


def draw_curves(path: str, found: dict[str, Compared]) -> None:
    """HOTA, detection and association over the localisation threshold."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(13, 4), sharey=True)
    for axis, key in zip(axes, ("HOTA", "DetA", "AssA"), strict=True):
        for tracker, each in found.items():
            label = f"{tracker} ({100 * each.curves[key].mean():.1f})"
            axis.plot(THRESHOLDS, 100 * each.curves[key], marker=".", label=label)
        axis.set(title=key, xlabel="localisation threshold (IoU)", xlim=(0, 1), ylim=(0, 100))
        axis.grid(alpha=0.3)
        axis.legend(fontsize=7)
    axes[0].set_ylabel("per cent")
    figure.tight_layout()
    with atomic_write(path, "wb") as file:
        figure.savefig(file, format="png", dpi=120)
    plt.close(figure)


def load_configs(args: argparse.Namespace) -> dict[str, mmcv.Config]:
    """Configs by the name of the file; the options are for all."""
    configs = {}
    for path in args.configs:
        args.config = path
        cfg = load_config(args)
        missing = [part for part in ("tracker", "motion") if not cfg.model.get(part)]
        if missing:
            raise ValueError(f"{path}: model has no {' and no '.join(missing)}")
        name = osp.splitext(osp.basename(path))[0]
        configs[name if name not in configs else path] = cfg
    return configs


def main() -> None:
    """Compare."""
    args = parse_args()
    with user_errors():
        os.makedirs(args.out, exist_ok=True)
        configs = load_configs(args)
        files = args.detections
        material = from_files(args) if files else from_network(list(configs.values()), args)
        torch.set_num_threads(1)  # frames are small and follow each other
        found = {name: compare(cfg, material) for name, cfg in configs.items()}
    rows = table_rows(found, material)
    print(f"Scores (rules of {material.benchmark}), and frames a second of the tracker alone:")
    print(format_score_table(rows, (*COLUMNS, SPEED)))
    with file_errors():
        write_csv(osp.join(args.out, "scores.csv"), rows)
        draw_curves(osp.join(args.out, "hota.png"), found)
    print(f"written: {osp.join(args.out, 'scores.csv')}, {osp.join(args.out, 'hota.png')}")


if __name__ == "__main__":
    main()
