"""Download files over HTTP; a file appears under its name when it is complete and checked."""

from __future__ import annotations

import hashlib
import os
import urllib.error
import urllib.request

from .file_io import atomic_write

_CHUNK = 1 << 20
_TIMEOUT = 60.0  # seconds without any data
_AGENT = "mmtrack"


class DownloadError(OSError):
    """A file that could not be downloaded."""


def download(url: str, path: str | os.PathLike, sha1: str | None = None) -> None:
    """Download a file.

    Args:
        url: Where from, ``http://`` or ``https://``.
        path: Where to.
        sha1: What the file must hash to; not a protection against anybody who means harm, but
            against damage.

    Raises:
        DownloadError: the server cannot be reached or has no such file, the connection ended
            early, or the file is damaged; the message names the address.
        ValueError: the address is of another kind.
    """
    digest = hashlib.sha1(usedforsecurity=False)
    try:
        with _open(url) as response, atomic_write(path, "wb") as file:
            expected, received = response.headers.get("Content-Length"), 0
            while chunk := response.read(_CHUNK):
                file.write(chunk)
                digest.update(chunk)
                received += len(chunk)
            if expected is not None and received != int(expected):
                raise DownloadError(f"{url}: got {received} of {expected} bytes; try again")
            if sha1 is not None and digest.hexdigest() != sha1.lower():
                raise DownloadError(f"{url}: the checksum is not {sha1}; try again")
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        raise DownloadError(f"{url} cannot be downloaded: {error}") from error


def fetch_text(url: str) -> str:
    """Download a small text.

    Raises:
        DownloadError: as ``download``.
        ValueError: as there.
    """
    try:
        with _open(url) as response:
            return response.read().decode()
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        raise DownloadError(f"{url} cannot be downloaded: {error}") from error


def _open(url: str):  # noqa: ANN202  (http.client.HTTPResponse or a file-like of urllib)
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"{url} is no http:// or https:// address")
    request = urllib.request.Request(url, headers={"User-Agent": _AGENT})  # noqa: S310
    return urllib.request.urlopen(request, timeout=_TIMEOUT)  # noqa: S310
