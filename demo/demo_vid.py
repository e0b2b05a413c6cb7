"""Detect the objects in a video, a folder of images, a camera or a stream, and draw their boxes."""

from __future__ import annotations

import argparse
import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # OpenMP reads it when torch is imported

from typing import Any

import numpy as np

from mmtrack.apis import inference_vid
from mmtrack.apis.cli import user_errors
from mmtrack.apis.demo import (
    add_video_arguments,
    build_demo_model,
    check_video_arguments,
    open_video,
    process_frames,
    report_written,
)
from mmtrack.apis.video_task import reference_sampler
from mmtrack.core.visualization import style_for

import mmcv


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_video_arguments(parser, "video object detection")
    parser.add_argument("--score-thr", type=float, default=0.8, help="lowest drawn score")
    parser.add_argument("--thickness", type=int, default=3, help="width of the lines in pixels")
    parser.add_argument(
        "--frame-stride", type=int, help="frames between two references, as in the config's tests"
    )
    parser.add_argument(
        "--num-left-ref-imgs", type=int, help="references kept, as in the config's tests"
    )
    args = parser.parse_args()
    check_video_arguments(parser, args)
    if args.thickness < 1:
        parser.error(f"--thickness must be at least 1, but is {args.thickness}")
    return args


def references(config: mmcv.Config, args: argparse.Namespace) -> dict[str, int]:
    """Which earlier frames go with a frame: as on the command line, else as in the tests."""
    chosen = reference_sampler(config)
    given = {name: getattr(args, name) for name in chosen}
    return {**chosen, **{name: value for name, value in given.items() if value is not None}}


def run(args: argparse.Namespace) -> None:
    """Detect the objects frame after frame."""
    with open_video(args) as (source, sink, fps):
        model = build_demo_model(args, "boxes")

        sampler = references(model.cfg, args)

        def infer(image: np.ndarray, frame_id: int) -> dict[str, Any]:
            return inference_vid(model, image, frame_id, sampler)

        def draw(image: np.ndarray, result: dict[str, Any]) -> np.ndarray:
            return model.show_result(
                image,
                result,
                score_thr=args.score_thr,
                thickness=args.thickness,
                font_scale=style_for(image).font_scale,
            )

        process_frames(source, source.length, infer, draw, sink=sink, show=args.show, fps=fps)


def main() -> None:
    """Run the demo."""
    args = parse_args()
    with user_errors():
        run(args)
    report_written(args.output)


if __name__ == "__main__":
    main()
