"""What the scripts in demo/ share: arguments, the model, and the loop over the frames."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from torch import nn

from mmtrack.core.utils import Progress, tune_cpu_inference
from mmtrack.core.visualization import open_sink, open_source, present
from mmtrack.core.visualization.video_io import DEFAULT_FPS, FrameSink, FrameSource

from .checkpoint import parts_without_weights
from .cli import (
    add_config_options,
    add_device_argument,
    add_speed_arguments,
    add_trust_argument,
    load_config,
)
from .environment import prepare_for_inference, select_device
from .inference import init_model


def add_video_arguments(parser: argparse.ArgumentParser, models: str) -> None:
    """Arguments of a script that runs a model over a video.

    Args:
        parser: Receives them.
        models: The kind of model, for the help, such as ``'MOT or VIS'``.
    """
    parser.add_argument("config", help=f"config file of a {models} model")
    parser.add_argument(
        "--input",
        required=True,
        help="video file, folder of numbered images, camera index, rtsp:// or http:// address",
    )
    parser.add_argument("--output", help=".mp4 file, or new folder for images")
    parser.add_argument("--checkpoint", help="weights of the whole model")
    parser.add_argument("--show", action="store_true", help="display the drawn frames")
    parser.add_argument(
        "--fps", type=float, help="frame rate of the output, as the input by default"
    )
    add_config_options(parser)
    add_device_argument(parser)
    add_trust_argument(parser)
    add_speed_arguments(parser)


def check_video_arguments(
    parser: argparse.ArgumentParser, args: argparse.Namespace, *text_outputs: str
) -> None:
    """End the script where it would produce nothing or the frame rate is no rate.

    Args:
        parser: Reports the error.
        args: What it read.
        *text_outputs: Options, such as ``'--out-txt'``, that name further outputs.
    """
    given = [getattr(args, name.lstrip("-").replace("-", "_")) for name in text_outputs]
    if not (args.output or args.show or any(given)):
        *names, last = ["--output", *text_outputs, "--show"]
        parser.error(f"nothing to do: give {', '.join(names)} or {last}")
    if args.fps is not None and not 0 < args.fps < float("inf"):
        parser.error(f"--fps must be positive, but is {args.fps}")


def build_demo_model(args: argparse.Namespace, results: str) -> nn.Module:
    """The model on its device; says so where its weights are random.

    Args:
        args: Arguments of :func:`add_video_arguments`.
        results: What means nothing without weights, such as ``'tracks'``.
    """
    device = select_device(args.device)
    if device.type == "cpu":
        sys.stdout.write(f"{tune_cpu_inference()}\n")
    model = init_model(load_config(args), args.checkpoint, device=device)
    if args.checkpoint is None and parts_without_weights(model):
        sys.stderr.write(
            f"warning: no weights for {type(model).__name__}, the {results} mean nothing; "
            "give --checkpoint\n"
        )
    return prepare_for_inference(
        model,
        device,
        channels_last=args.channels_last,
        bf16=args.bf16,
        compiled=args.compile,
    )


@contextlib.contextmanager
def open_video(args: argparse.Namespace) -> Iterator[tuple[FrameSource, FrameSink | None, float]]:
    """Input, output and frame rate of a script; the output appears when all went well.

    Args:
        args: Arguments of :func:`add_video_arguments`.

    Yields:
        Source; sink, None without ``--output``; frames per second of the output.
    """
    source = open_source(args.input)
    fps = args.fps or source.fps or DEFAULT_FPS
    with contextlib.ExitStack() as stack:
        sink = stack.enter_context(open_sink(args.output, fps)) if args.output else None
        yield source, sink, fps


def process_frames(
    frames: Iterable[np.ndarray],
    length: int | None,
    infer: Callable[[np.ndarray, int], dict[str, Any]],
    draw: Callable[[np.ndarray, dict[str, Any]], np.ndarray],
    *,
    sink: FrameSink | None,
    show: bool,
    fps: float,
    backend: str = "cv2",
) -> None:
    """Run a model on frame after frame and draw; only the current frame is in memory.

    Args:
        frames: Images ``(H, W, 3)`` uint8, BGR.
        length: Their number; None for a camera or a stream, which is ended with Ctrl-C: what was
            done so far is kept.
        infer: Result of an image and its number from 0.
        draw: The image with the result; called where it is written or displayed.
        sink: Receives the drawn images.
        show: Display them.
        fps: Frames per second of the display, if the model is faster.
        backend: Library whose window is used.
    """
    wait_time = max(1, 1000 / fps)
    interrupt = (
        contextlib.suppress(KeyboardInterrupt) if length is None else contextlib.nullcontext()
    )
    with Progress(length) as progress, interrupt:
        for frame_id, image in enumerate(frames):
            result = infer(image, frame_id)
            if sink is not None or show:
                drawn = draw(image, result)
                present(drawn, show=show, wait_time=wait_time, backend=backend)
                if sink is not None:
                    sink.write(drawn)
            progress.update()


def report_written(*names: str | None) -> None:
    """Print the outputs that were asked for."""
    for name in filter(None, names):
        sys.stdout.write(f"written: {name}\n")
