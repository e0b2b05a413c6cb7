"""Put a model into an archive (.mar) that TorchServe serves."""

from __future__ import annotations

import argparse
import dataclasses
import importlib.util
import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import torch

from mmtrack.apis import init_model
from mmtrack.apis.cli import add_config_options, add_trust_argument, load_config, user_errors
from mmtrack.apis.serving import CONFIG_FILE, LIMITS_SECTION
from mmtrack.apis.serving_request import Limits
from mmtrack.apis.video_task import try_out
from mmtrack.utils.folder_io import staging_folder

import mmcv

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")  # what model_archiver takes
WEIGHTS_FILE = "weights.pth"
SETTINGS_FILE = "model-config.yaml"
LIMITS = {
    "max_megabytes": "size of a video",
    "max_frames": "frames of a video",
    "max_pixels": "pixels of a frame",
    "max_answer_megabytes": "size of an answer",
    "max_seconds": "time for a video",
}
# Seconds. TorchServe restarts a worker that exceeds them: it hangs, since long videos end earlier.
EXTRA_TIME = 300
START_TIME = 600
HANDLER = Path(__file__).with_name("mmtrack_handler.py")


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", help="config file of a whole model (MOT, SOT, VID or VIS)")
    parser.add_argument("checkpoint", help="weights of the whole model")
    parser.add_argument(
        "--output-folder", required=True, help="folder that receives MODEL_NAME.mar (model store)"
    )
    parser.add_argument(
        "--model-name", help="name of the archive and on the server (default: of the checkpoint)"
    )
    parser.add_argument("--model-version", default="1.0", help="version stored in the archive")
    parser.add_argument(
        "-f", "--force", action="store_true", help="replace an archive of the same name"
    )
    for limit in dataclasses.fields(Limits):
        parser.add_argument(
            f"--{limit.name.replace('_', '-')}",
            type=type(limit.default),
            default=limit.default,
            help=f"limit of the server: {LIMITS[limit.name]} (default: %(default)s)",
        )
    add_config_options(parser)
    add_trust_argument(parser)
    return parser.parse_args()


def main() -> None:
    """Write the archive."""
    args = parse_args()
    with user_errors():
        target = archive_path(args)
        settings = server_settings(args)
        cfg = load_config(args)
        # beside the target, where there must be room for the weights anyway
        with staging_folder(target) as folder:
            write_parts(folder, cfg, args.checkpoint, settings)
            pack(folder, target.stem, args.model_version).replace(target)
        print(f"written: {target} ({target.stat().st_size / 2**20:.1f} MB)")


def archive_path(args: argparse.Namespace) -> Path:
    """Where the archive goes.

    Raises:
        ValueError: the name is none that TorchServe takes.
        FileExistsError: it is there, and --force is not given.
    """
    name = args.model_name or Path(args.checkpoint).stem
    if not NAME.fullmatch(name):
        raise ValueError(
            f"model name {name!r}: use letters, digits, '.', '_' and '-', the first one a letter "
            "or digit (--model-name)"
        )
    target = Path(args.output_folder).absolute() / f"{name}.mar"
    if target.exists() and not args.force:
        raise FileExistsError(f"{target} exists; --force replaces it, --model-name avoids it")
    return target


def server_settings(args: argparse.Namespace) -> dict:
    """Content of model-config.yaml: settings of TorchServe, and limits for the handler."""
    limits = Limits(**{name: getattr(args, name) for name in LIMITS})
    return {
        "responseTimeout": math.ceil(limits.max_seconds) + EXTRA_TIME,
        "startupTimeout": START_TIME,
        "batchSize": 1,  # trackers see one video at a time
        LIMITS_SECTION: vars(limits),
    }


def write_parts(folder: Path, cfg: mmcv.Config, checkpoint: str, settings: dict) -> None:
    """Write what goes into the archive: config, weights, settings.

    The weights are those of the model once it is built, so that a checkpoint that does not fit is
    noticed here, parts that the config fills from files of their own (``init_cfg``) are inside,
    and the state of the training is not.
    """
    model = init_model(cfg, checkpoint, device="cpu")
    try_out(model)
    cfg.dump(str(folder / CONFIG_FILE))
    weights = {"meta": {"CLASSES": model.CLASSES}, "state_dict": model.state_dict()}
    torch.save(weights, folder / WEIGHTS_FILE)
    # JSON is YAML as well
    (folder / SETTINGS_FILE).write_text(json.dumps(settings, indent=2) + "\n")


def pack(folder: Path, name: str, version: str) -> Path:
    """Make an archive of the parts.

    Args:
        folder: Has the parts, and receives the archive.
        name: Of the model.
        version: Of the model.

    Returns:
        Path of the archive.

    Raises:
        ImportError: torch-model-archiver is not installed.
        RuntimeError: it failed; its output is in the message.
    """
    if importlib.util.find_spec("model_archiver") is None:
        raise ImportError("torch-model-archiver is missing: pip install torch-model-archiver")
    work = folder / "work"
    work.mkdir()
    options = {
        "model-name": name,
        "version": version,
        "handler": HANDLER,
        "serialized-file": folder / WEIGHTS_FILE,
        "extra-files": folder / CONFIG_FILE,
        "config-file": folder / SETTINGS_FILE,
        "archive-format": "zip-store",  # weights hardly shrink
        "export-path": folder,
    }
    command = [sys.executable, "-m", "model_archiver.model_packaging"]
    command += [part for key, value in options.items() for part in (f"--{key}", str(value))]
    # The archiver deletes the folder $TMPDIR/<model name> before it uses it. In a process of its
    # own, with a folder of its own, that is never somebody's.
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TMPDIR": str(work)},
    )
    if done.returncode:
        raise RuntimeError(f"torch-model-archiver failed:\n{done.stdout}{done.stderr}")
    return folder / f"{name}.mar"


if __name__ == "__main__":
    main()
