"""Download a VOT challenge as its description on the organisers' server says.

A challenge is described by a json file: for each video the archive of its annotations and one
archive per channel (colour, depth, infrared), with checksums and addresses relative to the file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urljoin

from mmtrack.utils.archive import extract_zip
from mmtrack.utils.download import download, fetch_text
from mmtrack.utils.file_io import atomic_write

_DONE = ".downloaded"  # in the folder of a video that is complete
_SERVER = "https://data.votchallenge.net/"
DESCRIPTIONS = {
    "vot2018": f"{_SERVER}vot2018/main/description.json",
    "vot2018_lt": f"{_SERVER}vot2018/longterm/description.json",
    "vot2019": f"{_SERVER}vot2019/main/description.json",
    "vot2019_lt": f"{_SERVER}vot2019/longterm/description.json",
    "vot2019_rgbd": f"{_SERVER}vot2019/rgbd/description.json",
    "vot2019_rgbt": f"{_SERVER}vot2019/rgbtir/meta/description.json",
    "vot2020": f"{_SERVER}vot2020/shortterm/description.json",
    "vot2020_rgbt": f"{_SERVER}vot2020/rgbtir/meta/description.json",
    "vot2021": f"{_SERVER}vot2021/shortterm/description.json",
}


def download_vot(url: str, folder: str | os.PathLike, report: Callable[[str], None]) -> None:
    """Download and unpack the videos of a challenge.

    Each video gets its annotations in ``<folder>/<video>`` and its channels in folders there, for
    example ``color``. A video that is complete is not downloaded again. ``list.txt`` names them.

    Args:
        url: The description.
        folder: Where to.
        report: Gets a line about each video.

    Raises:
        OSError: a file cannot be downloaded.
        ValueError: the description or an archive is malformed.
    """
    folder, names = Path(folder), []
    try:
        for video in json.loads(fetch_text(url))["sequences"]:
            _download_video(url, video, folder)
            names.append(video["name"])
            report(f"{folder / names[-1]}")
    except (KeyError, TypeError, AttributeError, RecursionError, json.JSONDecodeError) as error:
        raise ValueError(f"{url} does not describe a VOT challenge: {error!r}") from error
    with atomic_write(folder / "list.txt") as file:
        file.writelines(f"{name}\n" for name in names)


def _download_video(url: str, video: dict, folder: Path) -> None:
    """Download annotations and channels of a video, unless that is done."""
    for name in (video["name"], *video["channels"]):
        if Path(name).name != name or name in (".", ".."):
            raise ValueError(f"{url}: {name!r} cannot name a folder")
    target = folder / video["name"]
    if (target / _DONE).is_file():
        return
    _fetch(url, video["annotations"], target)
    for channel, archive in video["channels"].items():
        _fetch(url, archive, target / channel)
    (target / _DONE).touch()


def _fetch(base: str, archive: dict, folder: Path) -> None:
    """Download an archive, unpack it and remove it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / ".archive.zip"
    download(urljoin(base, archive["url"]), path, archive.get("checksum"))
    extract_zip(path, folder)
    path.unlink()
