"""Follow one object through a video, a folder of images, a camera or a stream, and draw its box."""

from __future__ import annotations

import argparse
import itertools
import os
import re

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # OpenMP reads it when torch is imported

from typing import Any

import numpy as np
from torch import nn

from mmtrack.apis import inference_sot
from mmtrack.apis.cli import user_errors
from mmtrack.apis.demo import (
    add_video_arguments,
    build_demo_model,
    check_video_arguments,
    open_video,
    process_frames,
    report_written,
)
from mmtrack.apis.video_task import region_corners, without_restarts
from mmtrack.core.bbox import bbox_xyxy_to_x1y1wh
from mmtrack.core.visualization import select_box, style_for
from mmtrack.datasets.parsers.sot_txt import parse_table
from mmtrack.utils.file_io import atomic_write
from mmtrack.utils.reading import read_text

import mmcv


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_video_arguments(parser, "single object tracking")
    first = parser.add_mutually_exclusive_group()
    first.add_argument(
        "--gt_bbox_file",
        "--gt-bbox-file",
        help="text file whose first line is the box of the first frame, x,y,w,h or the corners of "
        "a polygon; without it and --init-bbox the box is drawn with the mouse",
    )
    first.add_argument(
        "--init-bbox",
        type=float,
        nargs=4,
        metavar=("X", "Y", "W", "H"),
        help="box of the first frame in pixels",
    )
    parser.add_argument("--out-txt", help="file for the boxes, a line x,y,w,h per frame")
    parser.add_argument(
        "--color", type=color, default="(0, 255, 0)", help="blue, green, red of the box, or a name"
    )
    parser.add_argument("--thickness", type=int, default=3, help="width of the lines in pixels")
    args = parser.parse_args()
    check_video_arguments(parser, args, "--out-txt")
    if args.thickness < 1:
        parser.error(f"--thickness must be at least 1, but is {args.thickness}")
    return args


def color(text: str) -> tuple[int, int, int]:
    """Blue, green and red of a colour given as ``(0, 255, 0)``, ``0,255,0`` or ``green``."""
    names = [known.name for known in mmcv.Color]
    if text in names:
        return mmcv.color_val(text)
    found = re.fullmatch(r"\W*(\d+)\W+(\d+)\W+(\d+)\W*", text)
    values = tuple(map(int, found.groups())) if found else ()
    if not values or max(values) > 255:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no colour: give three numbers from 0 to 255, or one of {', '.join(names)}"
        )
    return values


def given_region(args: argparse.Namespace) -> np.ndarray | None:
    """Region of the object in the first frame, where an argument has it.

    Returns:
        ``(4,)``, x1, y1, x2, y2, or ``(8,)``, corners of a polygon; None if there is none.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it does not begin with 4 or 8 numbers, or they are no box.
    """
    if args.init_bbox is not None:
        return region_corners(np.array(args.init_bbox), "--init-bbox")
    if args.gt_bbox_file is None:
        return None
    if not os.path.isfile(args.gt_bbox_file):
        raise FileNotFoundError(f"--gt_bbox_file {args.gt_bbox_file} does not exist")
    lines = read_text(args.gt_bbox_file).split("\n")
    line = next((line for line in lines if line.strip()), "")
    return region_corners(
        parse_table(line, args.gt_bbox_file).ravel(), f"{args.gt_bbox_file}, first line"
    )


def drawn_region(image: np.ndarray) -> np.ndarray:
    """Region that the user draws, ``(4,)``, x1, y1, x2, y2."""
    print("draw a box around the object, then press Space or Enter; C gives up")
    box = select_box(image, "give the first box with --init-bbox X Y W H or --gt_bbox_file FILE")
    print(f"the same again: --init-bbox {' '.join(f'{value:g}' for value in box)}")
    return region_corners(box, "the drawn box")


def build(args: argparse.Namespace) -> nn.Module:
    """The model on its device."""
    return without_restarts(build_demo_model(args, "boxes"))


def run(args: argparse.Namespace) -> None:
    """Follow the object frame after frame."""
    region = given_region(args)
    boxes: list[np.ndarray] = []
    with open_video(args) as (source, sink, fps):
        model = build(args)
        # A camera goes on while a box is drawn: tracking begins with the frame it was drawn on.
        frames = iter(source)
        first = next(frames, None)
        if first is None:
            raise ValueError(f"{source.name} sends no frames")
        region = drawn_region(first) if region is None else region

        def infer(image: np.ndarray, frame_id: int) -> dict[str, Any]:
            result = inference_sot(model, image, region, frame_id)
            boxes.append(result["track_bboxes"][None, :4])
            return result

        def draw(image: np.ndarray, result: dict[str, Any]) -> np.ndarray:
            return model.show_result(
                image,
                result,
                color=args.color,
                thickness=args.thickness,
                show_score=True,
                font_scale=style_for(image).font_scale,
            )

        process_frames(
            itertools.chain([first], frames),
            source.length,
            infer,
            draw,
            sink=sink,
            show=args.show,
            fps=fps,
        )
        if args.out_txt:
            rows = bbox_xyxy_to_x1y1wh(np.concatenate(boxes))
            with atomic_write(args.out_txt) as file:
                np.savetxt(file, rows, fmt="%.3f", delimiter=",")


def main() -> None:
    """Run the demo."""
    args = parse_args()
    with user_errors():
        run(args)
    report_written(args.output, args.out_txt)


if __name__ == "__main__":
    main()
