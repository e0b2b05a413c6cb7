"""Choose the checkpoint that a training goes on from: the newest one that is whole."""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import mmcv
from mmcv.runner import CheckpointLoader, get_dist_info

from mmtrack.compat.checkpoint import CheckpointError
from mmtrack.compat.runner import check_training_state
from mmtrack.utils.reading import CONTENT_ERRORS

from .process_group import share_text

LATEST = "latest.pth"  # the link that mmcv's runners keep
NUMBERED = re.compile(r"^(?P<kind>.*?)(?P<number>\d+)\.pth$")


class Resumption(NamedTuple):
    """What a run goes on from."""

    path: str | None  # None: it starts anew
    notes: list[str]  # warnings about checkpoints that were passed over


def choose_checkpoint(cfg: mmcv.Config, *, auto_resume: bool) -> Resumption:
    """The checkpoint that all processes of this run go on from; process 0 decides.

    Args:
        cfg: The config; ``work_dir`` and ``checkpoint_config.out_dir`` say where checkpoints are,
            ``resume_from`` names one.
        auto_resume: Take the newest whole checkpoint of the work dir. Where there is none,
            ``resume_from`` counts, and without it the run starts anew.

    Returns:
        The file. A damaged ``latest.pth`` is replaced by the checkpoint before it. Any other file
        that ``resume_from`` names is taken or refused.

    Raises:
        FileNotFoundError: ``resume_from`` does not exist, or another process does not see the
            file that process 0 has chosen.
        CheckpointError: the named file is damaged or holds no state of a training, or none of the
            checkpoints of the folder can be used.
    """
    rank, world_size = get_dist_info()
    chosen = Resumption(None, [])
    if rank == 0:
        chosen = _choose(cfg, auto_resume)
    if world_size == 1:
        return chosen
    path = share_text(chosen.path or "") or None
    if path is not None and not os.path.isfile(path):
        raise FileNotFoundError(
            f"process {rank} of {world_size} does not see {path}, which process 0 resumes from: "
            "the work dir must lie on a file system that all machines share"
        )
    return chosen._replace(path=path)


def _choose(cfg: mmcv.Config, auto_resume: bool) -> Resumption:
    folder = checkpoint_folder(cfg)
    if auto_resume and (found := list_checkpoints(folder)):
        return newest_whole(found)
    path = cfg.get("resume_from")
    if not path:
        return Resumption(None, [])
    if os.path.basename(path) == LATEST and os.path.lexists(path):
        return newest_whole(list_checkpoints(os.path.dirname(path) or "."))
    check_resumable(path)
    return Resumption(path, [])


def checkpoint_folder(cfg: mmcv.Config) -> str:
    """Where mmcv's checkpoint hook writes: the work dir, or a folder of its name in ``out_dir``."""
    out_dir = (cfg.get("checkpoint_config") or {}).get("out_dir")
    if not out_dir or out_dir == cfg.work_dir:
        return cfg.work_dir
    if "://" in out_dir:
        raise ValueError(
            f"checkpoint_config.out_dir {out_dir} is no local folder: name the checkpoint to go "
            "on from with --resume-from"
        )
    return os.path.join(out_dir, os.path.basename(cfg.work_dir.rstrip(os.sep)))


def list_checkpoints(folder: str | os.PathLike) -> list[str]:
    """Checkpoints of a run, newest first.

    ``latest.pth`` says which one is the newest: a run that was resumed from an older checkpoint
    leaves files with higher numbers that it has nothing to do with. Without it the highest number
    is the newest.

    Args:
        folder: Work dir of the run; it need not exist.
    """
    files = {}
    for path in Path(folder).glob("*.pth"):
        match = NUMBERED.match(path.name)
        if match and not path.name.startswith("best_"):
            files[path.name] = (match["kind"], int(match["number"]))
    order = sorted(files, key=lambda name: (files[name][1], name), reverse=True)
    latest = Path(folder, LATEST)
    if latest.is_symlink():
        target = os.readlink(latest)
        kind, number = files.get(target) or _kind_and_number(target)
        order = [name for name in order if files[name][0] == kind and files[name][1] < number]
        order.insert(0, target)
    elif latest.is_file():  # a copy, where there are no links
        order.insert(0, LATEST)
    return [os.path.join(folder, name) for name in order]


def _kind_and_number(name: str) -> tuple[str, float]:
    """As for existing files; all files are older than a name without a number."""
    match = NUMBERED.match(os.path.basename(name))
    return (match["kind"], int(match["number"])) if match else ("epoch_", float("inf"))


def newest_whole(paths: Sequence[str]) -> Resumption:
    """The first checkpoint that a training can be resumed from, and warnings about the others.

    Raises:
        CheckpointError: there is none; the message says what is wrong with each.
    """
    faults = []
    for path in paths:
        try:
            check_resumable(path)
        except (OSError, ValueError) as error:
            faults.append((path, str(error)))
        else:
            return Resumption(path, [f"{fault}; going on from {path}" for _, fault in faults])
    raise CheckpointError(
        "no checkpoint can be resumed from:\n  "
        + "\n  ".join(fault for _, fault in faults)
        + "\nMove them away to start the training anew"
    )


def check_resumable(path: str) -> None:
    """Refuse a damaged file, and one without the state of a training.

    Raises:
        FileNotFoundError: no such file.
        CheckpointError: the file is damaged, or has weights alone.
    """
    checkpoint = CheckpointLoader.load_checkpoint(path, map_location="cpu")
    if os.path.isfile(path):
        _check_sums(path)
    check_training_state(checkpoint, path)


def _check_sums(path: str) -> None:
    """Compare the file with the check sums in it, which torch does not do while loading."""
    try:
        if not zipfile.is_zipfile(path):
            return  # the format of torch before 1.6 has none
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
    except (*CONTENT_ERRORS, RuntimeError) as error:  # RuntimeError: of encrypted members
        raise CheckpointError(f"checkpoint {path} is damaged: {error}") from error
    if damaged is not None:
        raise CheckpointError(f"checkpoint {path} is damaged: wrong check sum of {damaged}")
