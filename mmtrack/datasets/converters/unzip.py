"""Unpack the archives that OTB100, TrackingNet and GOT-10k are distributed in."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from mmtrack.utils.archive import extract_zip
from mmtrack.utils.file_io import natural_key

from .images import IMAGE_ENDINGS

_JUNK = ("__MACOSX", ".DS_Store", "Thumbs.db")
_GOT10K_SPLITS = {"train": "train_data", "val": "val_data", "test": "test_data"}
_GOT10K_VIDEO = "GOT-10k_"

Report = Callable[[str], None]


def unzip_otb100(root: str | os.PathLike, report: Report = print) -> None:
    """Unpack ``zips/*.zip`` to ``data/<video>``; what is no image stays out of img/.

    Args:
        root: Folder of zips/.
        report: Gets a line about each archive.

    Raises:
        FileNotFoundError: there are no archives.
    """
    for path in _archives(Path(root) / "zips"):
        count = extract_zip(path, Path(root) / "data", _otb100_name)
        report(f"{path}: {count} files")


def unzip_trackingnet(root: str | os.PathLike, report: Report = print) -> None:
    """Unpack ``<chunk>.zip``, then the archive of each video to ``<chunk>/frames/<video>``.

    Args:
        root: Folder of TRAIN_0.zip to TRAIN_11.zip and TEST.zip, or of the unpacked chunks.
        report: Gets a line about each chunk.

    Raises:
        FileNotFoundError: there are neither archives nor chunks.
    """
    root = Path(root)
    for path in _archives(root, required=False):
        extract_zip(path, root / path.stem, _below(path.stem))
    chunks = sorted((p.parent for p in root.glob("*/zips")), key=lambda p: natural_key(p.name))
    if not chunks:
        raise FileNotFoundError(f"{root} has neither <chunk>.zip nor <chunk>/zips/")
    for chunk in chunks:
        videos = _archives(chunk / "zips")
        for path in videos:
            extract_zip(path, chunk / "frames" / path.stem, _below(path.stem))
        report(f"{chunk}: {len(videos)} videos")


def unzip_got10k(root: str | os.PathLike, report: Report = print) -> None:
    """Unpack ``full_data/`` to train/, val/ and test/ with their list.txt.

    Args:
        root: Folder of full_data/, which has ``train_data/*.zip``, val_data.zip and test_data.zip;
            splits that are not there are left out.
        report: Gets a line about each archive.

    Raises:
        FileNotFoundError: there are no archives.
    """
    full, found = Path(root) / "full_data", False
    for split, name in _GOT10K_SPLITS.items():
        paths = [full / f"{name}.zip"] if (full / f"{name}.zip").is_file() else []
        paths += _archives(full / name, required=False)
        for path in paths:
            count = extract_zip(path, Path(root) / split, _got10k_name)
            report(f"{path}: {count} files")
            found = True
        if (full / name / "list.txt").is_file():
            (Path(root) / split).mkdir(exist_ok=True)
            shutil.copyfile(full / name / "list.txt", Path(root) / split / "list.txt")
    if not found:
        raise FileNotFoundError(f"{full} has none of train_data/*.zip, val_data.zip, test_data.zip")


UNZIPPERS = {"otb100": unzip_otb100, "trackingnet": unzip_trackingnet, "got10k": unzip_got10k}


def _archives(folder: Path, *, required: bool = True) -> list[Path]:
    """Archives in a folder, in natural order."""
    paths = sorted(folder.glob("*.zip"), key=lambda path: natural_key(path.name))
    if required and not paths:
        raise FileNotFoundError(f"there are no archives {folder}/*.zip")
    return paths


def _is_junk(name: str) -> bool:
    return any(part in _JUNK for part in PurePosixPath(name).parts)


def _otb100_name(name: str) -> str | None:
    path = PurePosixPath(name)
    is_image = path.suffix.lower() in IMAGE_ENDINGS and not path.name.startswith(".")
    return None if _is_junk(name) or ("img" in path.parts[:-1] and not is_image) else name


def _below(top: str) -> Callable[[str], str | None]:
    """Names without a folder of this name around them: archives differ in whether they have it."""

    def rename(name: str) -> str | None:
        return None if _is_junk(name) else name.removeprefix(f"{top}/")

    return rename


def _got10k_name(name: str) -> str | None:
    """Path from the folder of the video on; files around the videos lose their folders."""
    parts = PurePosixPath(name).parts
    if _is_junk(name):
        return None
    start = next((i for i, part in enumerate(parts) if part.startswith(_GOT10K_VIDEO)), -1)
    return "/".join(parts[start:])
