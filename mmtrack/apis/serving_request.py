"""What a client of the server asks: a video and a few options, checked before any work is done."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np

from .video_task import region_corners

DEFAULT_SCORE_THR = 0.5
OUTPUTS = ("mp4", "json")
VIDEO_FIELDS = ("data", "body")  # TorchServe calls a raw body "body"
HEADER_PREFIX = "x-mmtrack-"
OPTIONS = ("output", "score_thr", "init_bbox")
# First bytes of the containers that are accepted: Matroska and WebM, AVI, MP4 and MOV. Decoders
# guess the format from the content, and some formats (playlists, which are texts) name other
# files or addresses to read; nothing but a container of pictures may reach them.
MATROSKA = b"\x1aE\xdf\xa3"
MP4_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")  # that a file may begin with

BAD_FIELD = 400
TOO_LARGE = 413
UNREADABLE = 422


class RequestError(ValueError):
    """A request that cannot be answered; the fault is the client's.

    Args:
        status: Code of the answer, 4xx.
        message: What is wrong, and what would be right.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Limits:
    """What a request may cost.

    Attributes:
        max_megabytes: Size of the video file.
        max_frames: Frames of the video.
        max_pixels: Pixels of a frame; the default is a little more than 4K, 4096 x 2304.
        max_answer_megabytes: Size of the drawn video or the JSON. TorchServe kills a worker whose
            answer exceeds its ``max_response_size``, so that must be larger.
        max_seconds: Time for a video. TorchServe kills a worker that needs longer than its
            ``responseTimeout``, so that must be longer.
    """

    max_megabytes: float = 256.0
    max_frames: int = 20_000
    max_pixels: int = 4096 * 2304
    max_answer_megabytes: float = 256.0
    max_seconds: float = 1500.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not (number and 0 < value < float("inf")):
                raise ValueError(f"the limit {name} must be a positive number, but is {value!r}")

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Limits:
        """Limits of a configuration file; those it does not name have their defaults.

        Raises:
            ValueError: an unknown name, or a value that is not positive.
        """
        known = [field.name for field in fields(cls)]
        unknown = sorted(set(values) - set(known))
        if unknown:
            raise ValueError(f"unknown limit {', '.join(unknown)}; there are {', '.join(known)}")
        return cls(**values)


class VideoRequest(NamedTuple):
    """A checked request.

    Attributes:
        video: Content of the video file.
        output: ``'mp4'`` or ``'json'``.
        score_thr: Lowest score that is shown.
        region: Object in the first frame, ``(4,)``, x1, y1, x2, y2 in pixels; None if not given.
    """

    video: bytes
    output: str = OUTPUTS[0]
    score_thr: float = DEFAULT_SCORE_THR
    region: np.ndarray | None = None


def parse_request(
    given: Mapping[str, Any],
    limits: Limits,
    *,
    follows: bool,
    headers: Mapping[str, str] | None = None,
) -> VideoRequest:
    """Check the fields of a request.

    Args:
        given: Fields by name: the video under ``data`` or ``body``, as bytes or in base64, and the
            options ``output``, ``score_thr`` and ``init_bbox`` as text, bytes or numbers. A
            ``body`` that is a dict (from JSON) holds fields itself.
        limits: What the video may cost.
        follows: Whether the model follows one object, which needs ``init_bbox``.
        headers: Of HTTP; ``X-Mmtrack-Init-Bbox`` is the option ``init_bbox`` of a request whose
            body is the video, and so on. A field counts more than a header.

    Raises:
        RequestError: a field is missing, unknown or wrong, or the video is too large or none.
    """
    given = {**_options_of_headers(headers or {}), **given}
    if isinstance(given.get("body"), Mapping):
        given.update(given.pop("body"))
    unknown = sorted(set(given) - {*VIDEO_FIELDS, *OPTIONS})
    if unknown:
        raise RequestError(
            BAD_FIELD,
            f"unknown field {', '.join(map(_short, unknown))}; there are data (the video), "
            f"{', '.join(OPTIONS)}. A video as the body needs the content type "
            "application/octet-stream",
        )
    options = {name: _text(name, given[name]) for name in OPTIONS if name in given}
    output = options.get("output", OUTPUTS[0])
    if output not in OUTPUTS:
        raise RequestError(BAD_FIELD, f"output must be mp4 or json, but is {_short(output)}")
    region = _region(options.get("init_bbox"), follows=follows)
    score_thr = _score_thr(options.get("score_thr"), follows=follows)
    return VideoRequest(_video(given, limits), output, score_thr, region)


def _options_of_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Options that came as headers, by their names as fields."""
    lowered = {name.lower(): value for name, value in headers.items()}
    return {
        name.removeprefix(HEADER_PREFIX).replace("-", "_"): value
        for name, value in lowered.items()
        if name.startswith(HEADER_PREFIX)
    }


def _text(name: str, value: Any) -> str:
    """Value of an option: forms send text or bytes, JSON also numbers and lists."""
    if isinstance(value, (bytes, bytearray)):
        try:
            value = value.decode()
        except UnicodeDecodeError:
            raise RequestError(BAD_FIELD, f"{name} is not text in UTF-8") from None
    return (value if isinstance(value, str) else json.dumps(value)).strip()


def _region(text: str | None, *, follows: bool) -> np.ndarray | None:
    """The object to follow, x1, y1, x2, y2."""
    if text is None and follows:
        raise RequestError(
            BAD_FIELD,
            "init_bbox is missing: this model follows one object and needs its box in the first "
            "frame, init_bbox=x,y,w,h in pixels",
        )
    if text is None:
        return None
    if not follows:
        raise RequestError(
            BAD_FIELD, "init_bbox is given, but this model finds its objects itself; leave it out"
        )
    try:
        x, y, width, height = (float(part) for part in text.strip("[]()").split(","))
    except ValueError:
        raise RequestError(
            BAD_FIELD, f"init_bbox must be four numbers x,y,w,h, but is {_short(text)}"
        ) from None
    try:
        return region_corners(np.array([x, y, width, height]), "init_bbox")
    except ValueError as error:
        raise RequestError(BAD_FIELD, str(error)) from None


def _score_thr(text: str | None, *, follows: bool) -> float:
    """Lowest score that is shown."""
    if text is None:
        return DEFAULT_SCORE_THR
    if follows:
        raise RequestError(
            BAD_FIELD, "score_thr is given, but this model shows its one box always; leave it out"
        )
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0 <= value <= 1:
        raise RequestError(BAD_FIELD, f"score_thr must be from 0 to 1, but is {_short(text)}")
    return value


def _video(given: Mapping[str, Any], limits: Limits) -> bytes:
    """Content of the video file."""
    present = [name for name in VIDEO_FIELDS if name in given]
    if len(present) != 1:
        what = "is no video" if not present else "are two videos"
        raise RequestError(
            BAD_FIELD, f"there {what} in the request: send it as the body or as the field data"
        )
    video = given[present[0]]
    if isinstance(video, str):
        video = video.encode(errors="replace")
    if not isinstance(video, (bytes, bytearray)):
        raise RequestError(
            BAD_FIELD, f"data must be the bytes of a video or base64, not {type(video).__name__}"
        )
    if not video:
        raise RequestError(BAD_FIELD, "the video is empty (0 bytes)")
    if not _is_container(video):
        _check_size(len(video) * 3 // 4, limits)  # before it is copied
        video = _from_base64(video)
    _check_size(len(video), limits)
    return bytes(video)


def _is_container(data: bytes) -> bool:
    if data[:4] == b"RIFF":
        return data[8:12] == b"AVI "
    # MP4 begins with the size of a box in four bytes; no text has a zero there
    return data[:4] == MATROSKA or (data[:1] == b"\0" and data[4:8] in MP4_BOXES)


def _from_base64(data: bytes) -> bytes:
    """The video that a text holds; forms do not tell it from the bytes of a video."""
    try:
        video = base64.b64decode(data.translate(None, b" \r\n\t"), validate=True)
    except binascii.Error:
        video = b""
    if data.lstrip()[:1] == b"{":
        raise RequestError(
            BAD_FIELD,
            "the body looks like JSON: it must be valid, and needs the content type "
            "application/json",
        )
    if not _is_container(video):
        raise RequestError(
            UNREADABLE,
            f"the {len(data)} bytes that came are no video: an MP4, MOV, AVI, MKV or WebM file, "
            "or its base64, is expected",
        )
    return video


def _check_size(size: int, limits: Limits) -> None:
    if size > limits.max_megabytes * 2**20:
        raise RequestError(
            TOO_LARGE,
            f"the video has {size / 2**20:.1f} MB, the limit of this server is "
            f"{limits.max_megabytes:g} MB",
        )


def _short(text: str) -> str:
    """A wrong value or name as a message shows it."""
    return ascii(text if len(text) <= 40 else f"{text[:40]}...")
