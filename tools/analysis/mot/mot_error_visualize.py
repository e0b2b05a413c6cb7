r"""Draw and list what a tracker got wrong: false positives, misses and identity switches.

Example:
    python tools/test.py CONFIG --checkpoint FILE --out results.pkl
    python tools/analysis/mot/mot_error_visualize.py CONFIG --result-file results.pkl \
        --out-dir errors

The folder --out-dir receives <video>/<frame> and <video>.mp4 with the errors drawn (red: false
positive, yellow: missed object, blue: identity switch), errors.csv with every error, and
jump_list.csv with the frames that have errors, the worst first.
"""

from __future__ import annotations

import argparse
import csv
import io
import os
import os.path as osp
from collections.abc import Sequence

import numpy as np
from torch.utils.data import Dataset

from mmtrack.apis.cli import add_config_options, file_errors, load_config, user_errors
from mmtrack.core.evaluation import mot_challenge_errors
from mmtrack.core.evaluation.mot_errors import MOTErrors
from mmtrack.core.utils import Progress, imshow_mot_errors
from mmtrack.core.visualization.tracks import ERROR_KINDS
from mmtrack.core.visualization.video_io import VideoFileWriter
from mmtrack.datasets import build_dataset
from mmtrack.datasets.parsers.public_detections import load_arrays
from mmtrack.utils.file_io import atomic_write, path_below
from mmtrack.utils.reading import reading

import mmcv

KIND_NAMES = tuple(name for name, _ in ERROR_KINDS)
# Boxes of result files count pixels from 1, those that are drawn from 0.
FILE_ORIGIN = 1
WAIT_MS = 100


def parse_args() -> argparse.Namespace:
    """Read and check the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", help="config file whose data.test was tracked")
    parser.add_argument(
        "--result-file",
        required=True,
        help="results of tools/test.py --out: .pkl, .pickle or .json",
    )
    parser.add_argument("--out-dir", help="folder for drawn frames, videos and lists")
    parser.add_argument("--show", action="store_true", help="display the drawn frames")
    parser.add_argument("--fps", type=float, default=3, help="frame rate of the videos")
    parser.add_argument("--backend", choices=["cv2", "plt"], default="cv2", help="drawing library")
    add_config_options(parser)
    args = parser.parse_args()
    if not (args.out_dir or args.show):
        parser.error("nothing to do: give --out-dir or --show")
    if args.fps <= 0:
        parser.error(f"--fps must be positive, but is {args.fps}")
    return args


def load_dataset(cfg: mmcv.Config) -> Dataset:
    """The test data set.

    Raises:
        ValueError: it is not scored by boxes of videos as MOTChallenge is.
    """
    dataset = build_dataset(cfg.data.test, {"test_mode": True})
    if not hasattr(dataset, "sequences"):
        raise ValueError(
            f"{type(dataset).__name__} is no data set of MOTChallenge's kind: errors are listed "
            "for MOTChallengeDataset and DanceTrackDataset"
        )
    return dataset


def find_errors(dataset: Dataset, path: str) -> dict[str, MOTErrors]:
    """Errors of each video."""
    results = load_arrays(path)
    if not isinstance(results, dict) or "track_bboxes" not in results:
        raise ValueError(f"{path} holds no 'track_bboxes': write it with tools/test.py --out")
    with reading(path, problem="does not hold results of this data set"):
        truth, tables, lengths = dataset.sequences(results)
        benchmark = dataset.get_benchmark_and_eval_split()[0]
        return mot_challenge_errors(truth, tables, benchmark=benchmark, seq_lengths=lengths)


def write_lists(folder: str, errors: dict[str, MOTErrors]) -> None:
    """Write every error, and the frames that have some, the worst first."""
    rows, jumps = [], []
    for video, found in errors.items():
        ids = zip(found.result_ids, found.gt_ids, found.previous_ids, strict=True)
        for frame, kind, box, all_ids in zip(
            found.frames, found.kinds, found.boxes, ids, strict=True
        ):
            rows.append(
                [video, frame, KIND_NAMES[kind], *("" if i < 0 else i for i in all_ids),
                 *(f"{v:.2f}" for v in box)]
            )  # fmt: skip
        counts = np.zeros((int(found.frames.max(initial=0)) + 1, len(KIND_NAMES)), int)
        np.add.at(counts, (found.frames, found.kinds), 1)
        jumps += [[video, f, *counts[f], counts[f].sum()] for f in np.flatnonzero(counts.any(1))]
    jumps.sort(key=lambda row: (-row[4], -row[-1], row[0], row[1]))
    head = ["video", "frame", "error", "track", "object", "track_before"]
    _write_csv(folder, "errors.csv", [*head, "left", "top", "width", "height"], rows)
    _write_csv(folder, "jump_list.csv", ["video", "frame", *KIND_NAMES, "errors"], jumps)


def _write_csv(folder: str, name: str, head: Sequence[str], rows: Sequence[Sequence]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    with atomic_write(osp.join(folder, name)) as file:
        file.write(text.getvalue())


def drawn_errors(found: MOTErrors, frame: int) -> dict[str, np.ndarray]:
    """Boxes, ids and kinds of a frame, as `imshow_mot_errors` takes them."""
    rows = np.flatnonzero(found.frames == frame)
    boxes = found.boxes[rows].copy()
    boxes[:, :2] -= FILE_ORIGIN
    boxes[:, 2:] += boxes[:, :2]
    missed = found.result_ids[rows] < 0
    ids = np.where(missed, found.gt_ids[rows], found.result_ids[rows])
    return {"bboxes": boxes, "ids": ids, "error_types": found.kinds[rows]}


def draw_videos(dataset: Dataset, errors: dict[str, MOTErrors], args: argparse.Namespace) -> None:
    """Draw all frames, also those without errors, so that videos keep their pace."""
    frames: dict[str, list[dict]] = {}
    names = {video["id"]: video["name"] for video in dataset.coco.dataset["videos"]}
    for info in dataset.data_infos:
        frames.setdefault(names[info["video_id"]], []).append(info)
    with Progress(len(dataset.data_infos)) as progress:
        for video, found in errors.items():
            writer = None
            if args.out_dir:
                target = path_below(args.out_dir, f"{video}.mp4", f"{dataset.ann_file}: video")
                writer = VideoFileWriter(target, args.fps)
            for info in frames[video]:
                number = info.get("mot_frame_id", info["frame_id"] + 1)
                target = None
                if args.out_dir:
                    name = osp.splitext(osp.basename(info["file_name"]))[0]
                    target = osp.join(args.out_dir, video, f"{name}.jpg")
                image = imshow_mot_errors(
                    osp.join(dataset.img_prefix, info["file_name"]),
                    **drawn_errors(found, number),
                    show=args.show,
                    wait_time=WAIT_MS,
                    out_file=target,
                    backend=args.backend,
                )
                if writer is not None:
                    writer.write(image)
                progress.update()
            if writer is not None:
                writer.close()


def main() -> None:
    """List and draw the errors."""
    args = parse_args()
    with user_errors():
        dataset = load_dataset(load_config(args))
        errors = find_errors(dataset, args.result_file)
    total = np.zeros(len(KIND_NAMES), int)
    for video, found in errors.items():
        counts = np.bincount(found.kinds, minlength=len(KIND_NAMES))
        total += counts
        print(f"{video}: {dict(zip(KIND_NAMES, counts.tolist(), strict=True))}")
    print(f"all: {dict(zip(KIND_NAMES, total.tolist(), strict=True))}")
    with file_errors():
        if args.out_dir:
            os.makedirs(args.out_dir, exist_ok=True)
            write_lists(args.out_dir, errors)
        draw_videos(dataset, errors, args)
    if args.out_dir:
        print(f"written: {args.out_dir}")


if __name__ == "__main__":
    main()
