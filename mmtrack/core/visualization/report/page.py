"""The report as one HTML file that needs nothing else: style, scripts, data and pictures inside."""

from __future__ import annotations

import base64
import hashlib
import html
import os
import string
from collections.abc import Iterable, Sequence
from importlib.resources import files

from mmtrack.utils.file_io import atomic_write

from .model import Report
from .packing import pack

# In this order: a script uses what the ones before it define.
SCRIPTS = (
    "elements.js",
    "data.js",
    "zoom.js",
    "store.js",
    "filters.js",
    "pictures.js",
    "box_list.js",
    "frame_view.js",
    "tracks.js",
    "timeline.js",
    "charts.js",
    "tables.js",
    "panels.js",
    "player.js",
    "link.js",
    "main.js",
)


def _asset(name: str) -> str:
    return (files(__package__) / "page" / name).read_text("utf-8")


def page_script() -> str:
    """All scripts of the page as one, in a scope of their own."""
    return '"use strict";\n(() => {\n' + "\n".join(map(_asset, SCRIPTS)) + "\n})();\n"


def _source_hash(text: str) -> str:
    """A source of a content security policy: the text with this digest, and no other, may run."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def render_page(report: Report, pictures: Sequence[Sequence[tuple[int, bytes]]]) -> Iterable[str]:
    """The HTML text of a report, piece by piece.

    Scripts other than ours cannot run in the page, and it cannot load anything from elsewhere:
    a content security policy names the digest of the one script and allows inline data alone.

    Args:
        report: The report.
        pictures: For each video ``(frame, WebP)`` of the frames that have a picture, ascending.
    """
    style, script = _asset("report.css"), page_script()
    policy = (
        f"default-src 'none'; img-src data: blob:; script-src {_source_hash(script)}; "
        f"style-src {_source_hash(style)}"
    )
    data = pack(report, [[frame for frame, _ in own] for own in pictures])
    head, tail = _asset("report.html").split("<!-- data -->")
    values = {"title": html.escape(report.title), "policy": policy, "style": style}
    yield string.Template(head).substitute(values)
    yield f'<script type="application/json" id="report-data">{data}</script>\n'
    for number, own in enumerate(pictures):
        # the alphabet of base64 cannot end the element
        yield f'<script type="text/plain" id="pictures-{number}">'
        for _, image in own:
            yield base64.b64encode(image).decode("ascii") + "\n"
        yield "</script>\n"
    yield f"<script>{script}</script>"
    yield tail


def write_page(
    path: str | os.PathLike, report: Report, pictures: Sequence[Sequence[tuple[int, bytes]]]
) -> int:
    """Write :func:`render_page` to a file.

    Returns:
        Size of the file in bytes.
    """
    with atomic_write(path, "wb") as file:
        file.writelines(piece.encode("utf-8") for piece in render_page(report, pictures))
    return os.path.getsize(path)
