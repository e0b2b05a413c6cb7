"""Zip archives: extract those from elsewhere, never outside of the folder; write our own."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath

from .file_io import atomic_write, leads_out
from .reading import reading

_ENCRYPTED = 1  # bit of the flags of a member
_PARTIAL = ".partial"
_LONGEST_NAME = 255 - len(_PARTIAL)  # bytes, of all common file systems
_PROBLEM, _REMEDY = "is damaged, or no zip archive", "Download it again."
# Pictures hardly shrink: what becomes a hundred times as large, above a gigabyte, is a bomb.
_MOST_RATIO, _SMALL = 100, 1 << 30
_DATE = (1980, 1, 1, 0, 0, 0)  # fixed, so that the same content gives the same bytes


def write_zip(path: str | os.PathLike, members: Iterable[tuple[str, str]]) -> None:
    """Write an archive of text files; the same content gives the same bytes.

    Args:
        path: Archive to write; it appears when it is complete.
        members: Name and content of each file.
    """
    with (
        atomic_write(path, "wb") as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for name, text in members:
            entry = zipfile.ZipInfo(name, _DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, text)


class UnsafeArchiveError(ValueError):
    """An archive that would write outside of its folder, make links, or fill the disk."""


def extract_zip(
    path: str | os.PathLike,
    folder: str | os.PathLike,
    rename: Callable[[str], str | None] | None = None,
    *,
    most_bytes: int | None = None,
) -> int:
    """Extract an archive after a check of all its members.

    Files that exist are replaced, so that an interrupted run can be repeated.

    Args:
        path: The archive.
        folder: Where to; it is created.
        rename: Gives the path of a member below the folder, or None to leave it out.
        most_bytes: Refuse archives that hold more; None for the free space of the disk.

    Returns:
        Number of files extracted.

    Raises:
        FileNotFoundError: there is no such archive.
        UnsafeArchiveError: a member has an absolute path, one with ``..``, is a link or encrypted,
            two members have the same path, or they are too large; nothing is extracted then. Or a
            folder that exists already leads elsewhere through a link.
        ValueError: the file is no archive, or a member is damaged.
    """
    path, folder = Path(path), Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with open_archive(path) as archive:
        return _extract_all(archive, path, folder, rename, most_bytes)


@contextlib.contextmanager
def open_archive(path: str | os.PathLike) -> Iterator[zipfile.ZipFile]:
    """Open a zip archive; whatever is wrong with its content ends in an error that names it.

    Raises:
        FileNotFoundError: there is no such archive.
        ValueError: the file is no archive, or what the block reads of it is damaged.
    """
    if not os.path.isfile(path):
        raise FileNotFoundError(f"there is no archive {os.fspath(path)}")
    try:
        with reading(path, _REMEDY, _PROBLEM), zipfile.ZipFile(path) as archive:
            yield archive
    except RuntimeError as error:  # of encrypted members
        raise ValueError(f"{os.fspath(path)} cannot be read: {error}") from error


def read_member(archive: zipfile.ZipFile, name: str, most_bytes: int) -> bytes:
    """Content of a member of an archive that must not be large.

    Raises:
        UnsafeArchiveError: it is larger than ``most_bytes``.
    """
    size = archive.getinfo(name).file_size
    if size > most_bytes:
        raise UnsafeArchiveError(
            f"{archive.filename}: {name} holds {size:,} bytes, expected at most {most_bytes:,}"
        )
    return archive.read(name)


def _extract_all(
    archive: zipfile.ZipFile,
    path: Path,
    folder: Path,
    rename: Callable[[str], str | None] | None,
    most_bytes: int | None,
) -> int:
    targets = _targets(archive, path, rename)
    total = sum(member.file_size for member in targets.values())
    limit = shutil.disk_usage(folder).free if most_bytes is None else most_bytes
    if total > limit:
        raise UnsafeArchiveError(
            f"{path} holds {total:,} bytes, {folder} may get {limit:,}; free some space"
        )
    if total > max(_MOST_RATIO * path.stat().st_size, _SMALL):
        raise UnsafeArchiveError(
            f"{path} would become {_MOST_RATIO} times as large ({total:,} bytes): images do not "
            "shrink like that, so it was made to fill the disk. `unzip` extracts it anyway"
        )
    for name, member in targets.items():
        _extract(archive, member, folder, name)
    return len(targets)


def _targets(
    archive: zipfile.ZipFile, path: Path, rename: Callable[[str], str | None] | None
) -> dict[str, zipfile.ZipInfo]:
    """Members to extract by their path below the folder."""
    targets: dict[str, zipfile.ZipInfo] = {}
    for member in archive.infolist():
        _check_member(member, path)
        if member.is_dir():
            continue
        name = member.filename if rename is None else rename(member.filename)
        if name is None:
            continue
        _check_name(name, path)
        name = str(PurePosixPath(name))
        if name in targets:
            raise UnsafeArchiveError(f"{path}: two members would be written to {name}")
        targets[name] = member
    for name in targets:
        folders = {str(parent) for parent in PurePosixPath(name).parents}
        if folders & targets.keys():
            raise UnsafeArchiveError(f"{path}: {name} lies below another file of the archive")
    return targets


def _check_member(member: zipfile.ZipInfo, path: Path) -> None:
    _check_name(member.filename, path)
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise UnsafeArchiveError(f"{path}: {member.filename} is a link or a device, not a file")
    if member.flag_bits & _ENCRYPTED:
        raise UnsafeArchiveError(f"{path}: {member.filename} is encrypted")


def _check_name(name: str, path: Path) -> None:
    """Refuse names that lead out of a folder on any system."""
    if leads_out(name):
        raise UnsafeArchiveError(f"{path}: {name!r} leads out of the folder")
    if max(len(os.fsencode(part)) for part in PurePosixPath(name).parts) > _LONGEST_NAME:
        raise UnsafeArchiveError(f"{path}: {name!r:.80} is longer than names of files may be")


def _extract(archive: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path, name: str) -> None:
    """Write one member; the file appears when it is complete."""
    target = folder / name
    # Before the folder is made, the part of the path that exists shows where it really leads.
    existing = next(parent for parent in target.parents if parent.exists())
    if not existing.resolve().is_relative_to(folder.resolve()):
        raise UnsafeArchiveError(
            f"{archive.filename}: {existing} leads out of {folder} through a link; remove it"
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(target.name + _PARTIAL)
    partial.unlink(missing_ok=True)  # of a run that was killed; "xb" follows no link
    try:
        with archive.open(member) as source, open(partial, "xb") as sink:
            shutil.copyfileobj(source, sink)
        os.replace(partial, target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
