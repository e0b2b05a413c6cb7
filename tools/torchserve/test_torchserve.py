"""Send a video to TorchServe, run the model here as well, and compare.

Ends with status 0 if the results agree, 1 if they differ or the server refuses.
"""

from __future__ import annotations

import argparse
import contextlib
import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # OpenMP reads it when torch is imported

import dataclasses
import http.client
import itertools
import json
import tempfile
from pathlib import Path
from urllib.parse import quote

import numpy as np

from mmtrack.apis import init_model
from mmtrack.apis.cli import (
    add_config_options,
    add_device_argument,
    add_trust_argument,
    load_config,
    user_errors,
)
from mmtrack.apis.environment import prepare_for_inference, select_device
from mmtrack.apis.serving import Answer, VideoService
from mmtrack.apis.serving_compare import Tolerance, compare_results, compare_videos, listed
from mmtrack.apis.serving_request import DEFAULT_SCORE_THR, Limits
from mmtrack.core.visualization import open_source, present
from mmtrack.utils.file_io import atomic_write

NO_LIMITS = Limits(*[2**40] * len(dataclasses.fields(Limits)))
OUTPUTS = {"both": ("mp4", "json"), "video": ("mp4",), "results": ("json",)}


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("video", help="video file that is sent to the server and run here")
    parser.add_argument("config", help="config file of the served model")
    parser.add_argument("checkpoint", help="weights of the served model")
    parser.add_argument("model_name", help="name of the model on the server")
    parser.add_argument(
        "--inference-addr", default="127.0.0.1:8080", help="host:port of the server"
    )
    parser.add_argument(
        "--result-video", help="file that keeps the served video (default: a temporary file)"
    )
    add_device_argument(parser)
    parser.add_argument(
        "--score-thr",
        type=float,
        default=DEFAULT_SCORE_THR,
        help="lowest score that is drawn (default: %(default)s)",
    )
    parser.add_argument(
        "--init-bbox",
        nargs=4,
        metavar=("X", "Y", "W", "H"),
        help="box of the object in the first frame, for single object tracking",
    )
    parser.add_argument(
        "--compare", choices=list(OUTPUTS), default="both", help="drawn video, results in JSON"
    )
    parser.add_argument(
        "--token", help="inference key of the server, if it wants one (key_file.json)"
    )
    parser.add_argument(
        "--timeout", type=float, default=1800, help="seconds to wait (default: %(default)s)"
    )
    parser.add_argument("--show", action="store_true", help="display served and local frames")
    add_config_options(parser)
    add_trust_argument(parser)
    args = parser.parse_args()
    if (args.show or args.result_video) and args.compare == "results":
        parser.error("--show and --result-video need the video: --compare both or video")
    return args


def main() -> None:
    """Compare."""
    args = parse_args()
    with user_errors():
        problems = run(args)
    if problems:
        raise SystemExit(f"served and local results differ:\n{listed(problems)}")
    print("served and local results agree")


def run(args: argparse.Namespace) -> list[str]:
    """Differences between the answers of the server and those of the model here."""
    if not os.path.isfile(args.video):
        raise FileNotFoundError(f"video {args.video} does not exist, or is no file")
    video = Path(args.video).read_bytes()
    options = request_options(args)
    problems: list[str] = []
    with tempfile.TemporaryDirectory(prefix="mmtrack-compare-") as folder:
        served = {
            output: ask_server(args, video, {**options, "output": output}, Path(folder))
            for output in OUTPUTS[args.compare]
        }
        device = select_device(args.device)
        model = init_model(load_config(args), args.checkpoint, device=device)
        service = VideoService(prepare_for_inference(model, device), NO_LIMITS)
        for output, path in served.items():
            answer = service.answer({"data": video, **options, "output": output})
            problems += COMPARE[output](args, path, answer)
    return problems


def request_options(args: argparse.Namespace) -> dict[str, str]:
    """Options of the request; a model that follows one object has no threshold."""
    if args.init_bbox is not None:
        return {"init_bbox": ",".join(args.init_bbox)}
    return {"score_thr": str(args.score_thr)}


def ask_server(
    args: argparse.Namespace, video: bytes, options: dict[str, str], folder: Path
) -> Path:
    """Send the video; returns the file that holds the answer.

    Raises:
        ConnectionError: there is no server.
        ValueError: it refused the request, or does not know the model.
    """
    headers = {f"X-Mmtrack-{name.replace('_', '-')}": value for name, value in options.items()}
    headers["Content-Type"] = "application/octet-stream"
    if args.token:
        headers["Authorization"] = f"Bearer {args.token}"
    try:
        connection = http.client.HTTPConnection(args.inference_addr, timeout=args.timeout)
        with contextlib.closing(connection):
            connection.request("POST", f"/predictions/{quote(args.model_name)}", video, headers)
            response = connection.getresponse()
            body = response.read()
    except (OSError, http.client.HTTPException) as error:
        raise ConnectionError(
            f"no answer from {args.inference_addr} ({type(error).__name__}: {error}); is "
            "TorchServe running there? (--inference-addr HOST:PORT, without http://; --timeout)"
        ) from error
    if response.status != 200:
        text = " ".join(body.decode(errors="replace").split())
        raise ValueError(f"{args.inference_addr} answered {response.status}: {text[:500]}")
    path = folder / f"served.{options['output']}"
    path.write_bytes(body)
    return path


def check_video(args: argparse.Namespace, served: Path, local: Answer) -> list[str]:
    """Compare, show and keep drawn videos."""
    require_answer(local)
    own = served.with_name("local.mp4")
    own.write_bytes(local.body)
    found = compare_videos(str(served), str(own), Tolerance())
    print(f"video: {found.frames} frames, at most {found.worst:.3%} of the pixels of one differ")
    if args.result_video:
        with atomic_write(args.result_video, "wb") as file:
            file.write(served.read_bytes())
        print(f"written: {args.result_video}")
    if args.show:
        show(served, own)
    return found.problems


def check_results(args: argparse.Namespace, served: Path, local: Answer) -> list[str]:
    """Compare results in JSON."""
    require_answer(local)
    theirs, own = json.loads(served.read_text()), json.loads(local.body)
    threshold = 0.0 if args.init_bbox else args.score_thr
    count = sum(len(frame["objects"]) for frame in own["frames"])
    print(f"results: {own['num_frames']} frames, {count} objects here")
    return compare_results(theirs, own, threshold, Tolerance())


def require_answer(local: Answer) -> None:
    """Raise ValueError where the model here refuses what the server took."""
    if local.status != 200:
        raise ValueError(f"the model here refuses the request: {local.body.decode()}")


def show(served: Path, local: Path) -> None:
    """Display both videos side by side, the served one at the left."""
    source = open_source(str(served))
    wait_time = 1000 / (source.fps or 25)
    for pair in itertools.zip_longest(source, open_source(str(local))):
        frames = [frame for frame in pair if frame is not None]
        present(np.hstack(frames), show=True, wait_time=wait_time)


COMPARE = {"mp4": check_video, "json": check_results}

if __name__ == "__main__":
    main()
