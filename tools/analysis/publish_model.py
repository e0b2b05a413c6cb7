"""Prepare a training checkpoint for others: weights only, name with date and hash."""

from __future__ import annotations

import argparse
import hashlib
import io
import re
import time
from pathlib import Path
from typing import Any

import torch

from mmtrack.apis.checkpoint import weights_of
from mmtrack.apis.cli import add_trust_argument, user_errors
from mmtrack.compat.checkpoint import trust_checkpoints
from mmtrack.utils.file_io import atomic_write

from mmcv.runner import CheckpointLoader

TRAINING_STATE = ("optimizer", "optimizer_state_dict", "lr_scheduler", "message_hub")
LOG_NAME = re.compile(r"(\d{8}_\d{6})\.log(\.json)?$")
HASH_DIGITS = 8


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("in_file", help="checkpoint of a training run")
    parser.add_argument("out_file", help="base name; time stamp and hash are appended")
    add_trust_argument(parser)
    return parser.parse_args()


def publishable(checkpoint: dict[str, Any]) -> dict[str, Any]:
    """The parts of a checkpoint that users need, on the CPU, without the buffers of EMA hooks."""
    kept = {key: value for key, value in checkpoint.items() if key not in TRAINING_STATE}
    kept["state_dict"] = {
        key: value.cpu()
        for key, value in checkpoint["state_dict"].items()
        if not key.startswith("ema_")
    }
    return kept


def training_date(in_file: Path) -> str:
    """Date and time of the run: from the newest log beside the checkpoint, else of the file."""
    stamps = [m[1] for p in in_file.parent.iterdir() if (m := LOG_NAME.search(p.name))]
    modified = time.localtime(in_file.stat().st_mtime)
    return max(stamps, default=time.strftime("%Y%m%d_%H%M%S", modified))


def publish(in_file: str, out_file: str) -> Path:
    """Write the published file; returns its path, ``<out>_<date>_<time>-<hash>.pth``."""
    checkpoint = CheckpointLoader.load_checkpoint(in_file, map_location="cpu")
    if not isinstance(checkpoint, dict) or "state_dict" not in checkpoint:
        raise ValueError(f"{in_file} has no state_dict, there is nothing to publish")
    weights_of(checkpoint, in_file)  # refuses what is no plain tensor
    buffer = io.BytesIO()
    torch.save(publishable(checkpoint), buffer)
    digits = hashlib.sha256(buffer.getvalue()).hexdigest()[:HASH_DIGITS]
    stem = re.sub(r"\.pth$", "", out_file)
    path = Path(f"{stem}_{training_date(Path(in_file))}-{digits}.pth")
    with atomic_write(path, "wb") as file:
        file.write(buffer.getvalue())
    return path


def main() -> None:
    """Publish."""
    args = parse_args()
    with user_errors():
        if args.trust_checkpoint:
            trust_checkpoints(True)
        print(f"published: {publish(args.in_file, args.out_file)}")


if __name__ == "__main__":
    main()
