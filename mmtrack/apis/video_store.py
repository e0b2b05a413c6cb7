"""Arrays of each video of a data set on disk, tied to what they were computed from."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from mmcv.runner import get_dist_info
from torch import distributed as dist

from mmtrack.utils.array_files import load_npz
from mmtrack.utils.file_io import atomic_write
from mmtrack.utils.reading import read_json_object

IDENTITY_FILE = "identity.json"


class VideoStore:
    """One npz file per video; a run that died goes on with the videos that are missing.

    Args:
        folder: Receives the files.
        identity: What the arrays depend on, as text or numbers by a name that users understand.

    Raises:
        ValueError: the folder holds arrays that were computed from something else.
    """

    def __init__(self, folder: str | os.PathLike, identity: Mapping[str, Any]):
        self.folder = Path(folder)
        path = self.folder / IDENTITY_FILE
        if path.is_file():
            known = read_json_object(path)
            other = sorted(k for k in {*known, *identity} if known.get(k) != identity.get(k))
            if other:
                raise ValueError(
                    f"{self.folder} was computed with other {', '.join(other)}: name another "
                    "folder, or remove this one"
                )
        elif self.folder.is_dir() and any(self.folder.iterdir()):
            raise ValueError(f"{self.folder} has files, but no {IDENTITY_FILE}: not a cache")
        else:
            with atomic_write(path) as file:
                json.dump(dict(identity), file, indent=1)

    def path(self, video: int) -> Path:
        """File of a video."""
        return self.folder / f"{video:06d}.npz"

    def __contains__(self, video: int) -> bool:
        return self.path(video).is_file()

    def save(self, video: int, arrays: Mapping[str, np.ndarray]) -> None:
        """Keep the arrays of a video."""
        with atomic_write(self.path(video), "wb") as file:
            np.savez_compressed(file, **arrays)

    def load(self, video: int) -> dict[str, np.ndarray]:
        """Arrays of a video.

        Raises:
            ValueError: the file is damaged.
        """
        return load_npz(self.path(video))


def hash_of_file(path: str | os.PathLike) -> str:
    """Digest of the content of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hash_of_value(value: Any) -> str:  # noqa: ANN401
    """Digest of nested dicts, lists and plain values; tuples count as lists."""
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def on_first_process(action: Callable[[], Any]) -> None:
    """Do something on one process before the others go on."""
    if get_dist_info()[0] == 0:
        action()
    if dist.is_initialized():
        dist.barrier()
