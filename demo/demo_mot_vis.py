"""Track the objects in a video, a folder of images, a camera or a stream, and draw the tracks."""

from __future__ import annotations

import argparse
import json
import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # OpenMP reads it when torch is imported

from typing import Any

import numpy as np

from mmtrack.apis import inference_mot
from mmtrack.apis.cli import user_errors
from mmtrack.apis.demo import (
    add_video_arguments,
    build_demo_model,
    check_video_arguments,
    open_video,
    process_frames,
    report_written,
)
from mmtrack.core.evaluation.mot_table import MOTTable
from mmtrack.core.mask import encode_masks
from mmtrack.core.track import results2outs
from mmtrack.core.visualization import style_for
from mmtrack.datasets.parsers.mot_txt import write_mot_txt
from mmtrack.datasets.vis_results import video_tracks
from mmtrack.utils.file_io import atomic_write

VIDEO_ID = 1  # of the only video in the json file


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_video_arguments(parser, "MOT or VIS")
    parser.add_argument("--out-txt", help="file for the tracks in MOTChallenge format")
    parser.add_argument(
        "--out-json", help="file for the masks of the instances in YouTube-VIS format"
    )
    parser.add_argument("--score-thr", type=float, default=0.0, help="lowest drawn score")
    parser.add_argument("--backend", choices=["cv2", "plt"], default="cv2", help="drawing library")
    args = parser.parse_args()
    check_video_arguments(parser, args, "--out-txt", "--out-json")
    return args


class TrackRecorder:
    """Collects the boxes of all frames for a MOTChallenge file; they are small, frames are not."""

    def __init__(self) -> None:
        self._frames: list[np.ndarray] = []
        self._rows: list[np.ndarray] = []

    def add(self, frame_id: int, result: dict[str, Any]) -> None:
        """Keep the tracks of a frame.

        Args:
            frame_id: Number of the frame from 0.
            result: What the model returned.
        """
        tracks = results2outs(bbox_results=result["track_bboxes"])
        bboxes, ids = np.asarray(tracks["bboxes"], np.float64), np.asarray(tracks["ids"])
        corners, sizes = bboxes[:, :2], bboxes[:, 2:4] - bboxes[:, :2]
        self._rows.append(np.column_stack([ids, corners, sizes, bboxes[:, 4]]))
        self._frames.append(np.full(len(ids), frame_id + 1))

    def table(self) -> MOTTable:
        """All boxes, frames counted from 1."""
        rows = np.concatenate([*self._rows, np.empty((0, 6))])
        frames = np.concatenate([*self._frames, np.empty(0, np.int64)])
        return MOTTable.from_columns(frames, rows[:, 0], rows[:, 1:5], rows[:, 5])


class InstanceRecorder:
    """Collects the masks of all frames, run-length encoded."""

    def __init__(self) -> None:
        self._boxes: list[list[np.ndarray]] = []
        self._masks: list[list[list[dict]]] = []

    def add(self, result: dict[str, Any]) -> None:
        """Keep the instances of a frame.

        Raises:
            ValueError: the model gives no masks.
        """
        if "track_masks" not in result:
            raise ValueError(
                f"--out-json: this model gives {', '.join(sorted(result))} and no masks; "
                "for boxes use --out-txt"
            )
        self._boxes.append(result["track_bboxes"])
        self._masks.append(encode_masks(result["track_masks"]))

    def write(self, path: str) -> None:
        """Write one entry per instance: score, category (from 1) and a mask or null per frame."""
        categories = range(1, 1 + max(map(len, self._boxes), default=0))
        with atomic_write(path) as file:
            json.dump(video_tracks(self._boxes, self._masks, VIDEO_ID, categories), file)


def run(args: argparse.Namespace) -> None:
    """Track frame after frame."""
    recorder, instances = TrackRecorder(), InstanceRecorder()
    with open_video(args) as (source, sink, fps):
        model = build_demo_model(args, "tracks")

        def infer(image: np.ndarray, frame_id: int) -> dict[str, Any]:
            result = inference_mot(model, image, frame_id=frame_id)
            if args.out_txt:
                recorder.add(frame_id, result)
            if args.out_json:
                instances.add(result)
            return result

        def draw(image: np.ndarray, result: dict[str, Any]) -> np.ndarray:
            return model.show_result(
                image,
                result,
                score_thr=args.score_thr,
                backend=args.backend,
                **style_for(image)._asdict(),
            )

        process_frames(
            source,
            source.length,
            infer,
            draw,
            sink=sink,
            show=args.show,
            fps=fps,
            backend=args.backend,
        )
        if args.out_txt:
            write_mot_txt(args.out_txt, recorder.table())
        if args.out_json:
            instances.write(args.out_json)


def main() -> None:
    """Run the demo."""
    args = parse_args()
    with user_errors():
        run(args)
    report_written(args.output, args.out_txt, args.out_json)


if __name__ == "__main__":
    main()
