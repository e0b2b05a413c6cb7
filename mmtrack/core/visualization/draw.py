"""Boxes, captions and masks on an image, with OpenCV or matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import mmcv
import numpy as np

from .palette import text_color
from .windows import show_image

FONT = cv2.FONT_HERSHEY_SIMPLEX
MASK_OPACITY = 0.45
BACKENDS = ("cv2", "plt")


class Marks(NamedTuple):
    """What is drawn on an image; ``N`` boxes.

    Attributes:
        bboxes: ``(N, 4)``, x1, y1, x2, y2 in pixels.
        colors: ``(N, 3)`` uint8, BGR.
        captions: ``N`` texts; an empty one draws nothing.
        masks: ``(N, H, W)`` bool, or None.
    """

    bboxes: np.ndarray
    colors: np.ndarray
    captions: Sequence[str]
    masks: np.ndarray | None = None


class LineStyle(NamedTuple):
    """Width of lines in pixels and size of letters (1 is about 22 pixels high)."""

    thickness: int
    font_scale: float


def style_for(image: np.ndarray) -> LineStyle:
    """Lines and letters that can be read on an image of this size, also when shown scaled down."""
    side = min(image.shape[:2])
    return LineStyle(max(1, round(side / 400)), max(0.35, round(side / 1600, 2)))


def draw_marks(image: np.ndarray, marks: Marks, style: LineStyle, backend: str) -> np.ndarray:
    """Draw on a copy of an image.

    Args:
        image: ``(H, W, 3)`` uint8, BGR.
        marks: What to draw.
        style: Line width and letter size.
        backend: ``'cv2'`` (fast) or ``'plt'`` (anti-aliased).

    Returns:
        ``(H, W, 3)`` uint8, BGR.

    Raises:
        ValueError: unknown backend.
    """
    if backend not in BACKENDS:
        raise ValueError(f"backend {backend!r} is unknown, use one of {', '.join(BACKENDS)}")
    canvas = _blend_masks(np.array(image, copy=True), marks)
    draw = _draw_cv2 if backend == "cv2" else _draw_plt
    return draw(canvas, marks, style)


def present(
    image: np.ndarray,
    show: bool = False,
    wait_time: float = 0,
    out_file: str | None = None,
    backend: str = "cv2",
) -> None:
    """Display an image, write it to a file, or both.

    Args:
        image: ``(H, W, 3)`` uint8, BGR.
        show: Display it.
        wait_time: Milliseconds to wait; 0 waits for a key (cv2) or for the window to be closed.
        out_file: File to write; missing folders are created.
        backend: Library whose window is used.

    Raises:
        DisplayError: no window can be opened.
        ValueError: ``out_file`` cannot be written (unknown extension, full disk).
    """
    if show and backend == "plt":
        _show_plt(image, wait_time)
    elif show:
        show_image(image, wait_time)
    if out_file is not None and not mmcv.imwrite(image, str(out_file)):
        raise ValueError(f"the image could not be written to {out_file}")


def _blend_masks(image: np.ndarray, marks: Marks) -> np.ndarray:
    """Tint the pixels of each mask with the colour of its box."""
    if marks.masks is None:
        return image
    for mask, color in zip(marks.masks, marks.colors, strict=True):
        inside = np.asarray(mask, bool)
        rows, cols = (np.flatnonzero(inside.any(axis=axis)) for axis in (1, 0))
        if not len(rows):
            continue
        around = np.s_[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]
        patch = image[around]
        paint = np.full_like(patch, color)
        tint = cv2.addWeighted(patch, 1 - MASK_OPACITY, paint, MASK_OPACITY, 0)
        np.copyto(patch, tint, where=inside[around][..., None])
    return image


def _draw_cv2(image: np.ndarray, marks: Marks, style: LineStyle) -> np.ndarray:
    corners = np.round(np.asarray(marks.bboxes, float)[:, :4]).astype(int).tolist()
    colors = np.asarray(marks.colors).tolist()
    for (x1, y1, x2, y2), color in zip(corners, colors, strict=True):
        cv2.rectangle(image, (x1, y1), (x2, y2), color, style.thickness)
    # Captions come last, so that no line of another box runs through them.
    for corner, color, caption in zip(corners, colors, marks.captions, strict=True):
        if caption:
            _caption_cv2(image, caption, tuple(corner[:2]), tuple(color), style)
    return image


def _caption_cv2(
    image: np.ndarray,
    caption: str,
    corner: tuple[int, int],
    color: tuple[int, int, int],
    style: LineStyle,
) -> None:
    """Text on a filled bar above the corner of a box, moved so that it stays inside the image."""
    weight = max(1, round(style.font_scale * 1.8))
    (width, height), base = cv2.getTextSize(caption, FONT, style.font_scale, weight)
    pad = max(2, height // 4)
    bar_height = height + base + pad
    x = int(np.clip(corner[0] - style.thickness // 2, 0, max(0, image.shape[1] - width - 2 * pad)))
    y = int(np.clip(corner[1] - bar_height, 0, max(0, image.shape[0] - bar_height)))
    cv2.rectangle(image, (x, y), (x + width + 2 * pad, y + bar_height), color, cv2.FILLED)
    origin = (x + pad, y + bar_height - base)
    ink = text_color(color)
    cv2.putText(image, caption, origin, FONT, style.font_scale, ink, weight, cv2.LINE_AA)


def _draw_plt(image: np.ndarray, marks: Marks, style: LineStyle) -> np.ndarray:
    """The same marks with matplotlib, off screen, at one dot per pixel."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    height, width = image.shape[:2]
    dpi = 100
    figure = Figure(figsize=(width / dpi, height / dpi), dpi=dpi)
    canvas = FigureCanvasAgg(figure)
    figure.patch.set_alpha(0)
    axes = figure.add_axes([0, 0, 1, 1])
    axes.axis("off")
    points = 72 / dpi  # matplotlib measures lines and letters in points
    for box, color, caption in zip(marks.bboxes, marks.colors, marks.captions, strict=True):
        x1, y1, x2, y2 = (float(v) for v in box[:4])
        rgb = np.asarray(color)[::-1] / 255
        axes.add_patch(
            Rectangle(
                (x1, y1),
                x2 - x1,
                y2 - y1,
                fill=False,
                edgecolor=rgb,
                linewidth=style.thickness * points,
            )
        )
        if caption:
            at_right, at_top = x1 > 0.9 * width, y1 < 30 * style.font_scale
            axes.text(
                min(x2, width) if at_right else max(x1, 0),
                max(y1, 0),
                caption,
                color=np.array(text_color(tuple(int(c) for c in color))) / 255,
                size=26 * style.font_scale * points,
                ha="right" if at_right else "left",
                va="top" if at_top else "bottom",
                bbox={"facecolor": rgb, "edgecolor": "none", "pad": 1.5},
            )
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    canvas.draw()
    return _overlay(image, np.asarray(canvas.buffer_rgba()))


def _overlay(image: np.ndarray, rgba: np.ndarray) -> np.ndarray:
    """Put a transparent drawing over an image; ten times faster than drawing the image too."""
    touched = rgba[..., 3] > 0
    alpha = rgba[touched, 3:] / 255
    image[touched] = np.round(image[touched] * (1 - alpha) + rgba[touched, 2::-1] * alpha)
    return image


def _show_plt(image: np.ndarray, wait_time: float) -> None:
    import matplotlib.pyplot as plt

    plt.figure("mmtrack")
    plt.clf()
    plt.axis("off")
    plt.imshow(image[..., ::-1])
    if wait_time > 0:
        plt.pause(wait_time / 1000)
    else:
        plt.show()
