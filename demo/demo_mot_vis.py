"""Track the objects in a video, a folder of images, a camera or a stream, and draw the tracks."""

from __future__ import annotations

import argparse
import contextlib
import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # OpenMP reads it when torch is imported

import sys
from typing import Any

import numpy as np
from torch import nn

from mmtrack.apis import inference_mot, init_model
from mmtrack.apis.checkpoint import parts_without_weights
from mmtrack.apis.cli import (
    add_config_options,
    add_device_argument,
    add_speed_arguments,
    add_trust_argument,
    load_config,
    user_errors,
)
from mmtrack.apis.environment import prepare_for_inference, select_device
from mmtrack.core.evaluation.mot_table import MOTTable
from mmtrack.core.track import results2outs
from mmtrack.core.utils import Progress, tune_cpu_inference
from mmtrack.core.visualization import open_sink, open_source, present, style_for
from mmtrack.core.visualization.video_io import DEFAULT_FPS, FrameSink, FrameSource
from mmtrack.datasets.parsers.mot_txt import write_mot_txt


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", help="config file of a MOT or VIS model")
    parser.add_argument(
        "--input",
        required=True,
        help="video file, folder of numbered images, camera index, rtsp:// or http:// address",
    )
    parser.add_argument("--output", help=".mp4 file, or new folder for images")
    parser.add_argument("--out-txt", help="file for the tracks in MOTChallenge format")
    parser.add_argument("--checkpoint", help="weights of the whole model")
    parser.add_argument("--score-thr", type=float, default=0.0, help="lowest drawn score")
    parser.add_argument("--show", action="store_true", help="display the drawn frames")
    parser.add_argument("--backend", choices=["cv2", "plt"], default="cv2", help="drawing library")
    parser.add_argument(
        "--fps", type=float, help="frame rate of the output, as the input by default"
    )
    add_config_options(parser)
    add_device_argument(parser)
    add_trust_argument(parser)
    add_speed_arguments(parser)
    args = parser.parse_args()
    if not (args.output or args.out_txt or args.show):
        parser.error("nothing to do: give --output, --out-txt or --show")
    if args.fps is not None and not args.fps > 0:
        parser.error(f"--fps must be positive, but is {args.fps}")
    return args


def build(args: argparse.Namespace) -> nn.Module:
    """The model on its device."""
    device = select_device(args.device)
    if device.type == "cpu":
        print(tune_cpu_inference())
    model = init_model(load_config(args), args.checkpoint, device=device)
    if args.checkpoint is None and parts_without_weights(model):
        print(
            f"warning: no weights for {type(model).__name__}, the tracks mean nothing; "
            "give --checkpoint",
            file=sys.stderr,
        )
    return prepare_for_inference(model, device, channels_last=args.channels_last, bf16=args.bf16)


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


def track(
    model: nn.Module,
    source: FrameSource,
    sink: FrameSink | None,
    recorder: TrackRecorder,
    args: argparse.Namespace,
) -> None:
    """Track frame after frame; only the current frame is in memory."""
    wait_time = 1000 / (args.fps or source.fps or DEFAULT_FPS)
    with Progress(source.length) as progress:
        for frame_id, image in enumerate(source):
            result = inference_mot(model, image, frame_id=frame_id)
            if args.out_txt:
                recorder.add(frame_id, result)
            if sink is not None or args.show:
                drawn = draw(model, image, result, args, wait_time)
                if sink is not None:
                    sink.write(drawn)
            progress.update()


def draw(
    model: nn.Module,
    image: np.ndarray,
    result: dict[str, Any],
    args: argparse.Namespace,
    wait_time: float,
) -> np.ndarray:
    """Draw, and display where wanted, the tracks of a frame."""
    style = style_for(image)
    drawn = model.show_result(
        image,
        result,
        score_thr=args.score_thr,
        thickness=style.thickness,
        font_scale=style.font_scale,
        backend=args.backend,
    )
    present(drawn, show=args.show, wait_time=max(1, wait_time), backend=args.backend)
    return drawn


def main() -> None:
    """Run the demo."""
    args = parse_args()
    recorder = TrackRecorder()
    with user_errors(), contextlib.ExitStack() as stack:
        source = open_source(args.input)
        fps = args.fps or source.fps or DEFAULT_FPS
        sink = stack.enter_context(open_sink(args.output, fps)) if args.output else None
        model = build(args)
        try:
            track(model, source, sink, recorder, args)
        except KeyboardInterrupt:
            # The way to end a camera or a stream: what was tracked so far is kept.
            if source.length is not None:
                raise
        if args.out_txt:
            write_mot_txt(args.out_txt, recorder.table())
    for name in filter(None, (args.output, args.out_txt)):
        print(f"written: {name}")


if __name__ == "__main__":
    main()
