"""Draw tracks, and the errors of a tracker, on a frame."""

from __future__ import annotations

from collections.abc import Sequence

import mmcv
import numpy as np

from .draw import LineStyle, Marks, draw_marks, present
from .palette import id_colors

# What went wrong with a box, in the order of the codes in `error_types`; colours are BGR.
ERROR_KINDS = (("FP", (0, 0, 230)), ("FN", (0, 215, 255)), ("IDSW", (255, 130, 0)))


def imshow_tracks(
    img: str | np.ndarray,
    bboxes: np.ndarray,
    labels: np.ndarray,
    ids: np.ndarray,
    masks: np.ndarray | None = None,
    classes: Sequence[str] | None = None,
    score_thr: float = 0.0,
    thickness: int = 2,
    font_scale: float = 0.4,
    show: bool = False,
    wait_time: float = 0,
    out_file: str | None = None,
    backend: str = "cv2",
) -> np.ndarray:
    """Draw tracked boxes, each identity in its own colour.

    Args:
        img: Image ``(H, W, 3)`` uint8 BGR, or its file name. An array is not changed.
        bboxes: ``(N, 5)``, x1, y1, x2, y2 in pixels and the score.
        labels: Class indices ``(N,)``.
        ids: Identities ``(N,)``; the colour depends on nothing else.
        masks: ``(N, H, W)`` bool, or None.
        classes: Names of the classes; by default a class is written as its number, and a single
            class is not written.
        score_thr: Boxes with a lower score are left out.
        thickness: Line width in pixels.
        font_scale: Size of the letters, 1 is about 22 pixels high.
        show: Display the result in a window.
        wait_time: Milliseconds the window waits, 0 for a key press.
        out_file: File to write.
        backend: ``'cv2'`` or ``'plt'``.

    Returns:
        The drawn image, ``(H, W, 3)`` uint8, BGR.

    Raises:
        ValueError: lengths differ, boxes without score, or unknown backend.
    """
    bboxes, labels, ids = np.asarray(bboxes), np.asarray(labels), np.asarray(ids)
    if bboxes.ndim != 2 or bboxes.shape[1] != 5:
        raise ValueError(f"bboxes must be (N, 5) with the score last, but are {bboxes.shape}")
    if not len(bboxes) == len(labels) == len(ids):
        raise ValueError(f"{len(bboxes)} bboxes, {len(labels)} labels and {len(ids)} ids differ")
    keep = bboxes[:, 4] >= score_thr
    kept_masks = None if masks is None else np.asarray(masks, bool)[keep]
    captions = [
        _caption(track, label, score, classes)
        for track, label, score in zip(ids[keep], labels[keep], bboxes[keep, 4], strict=True)
    ]
    marks = Marks(bboxes[keep, :4], id_colors(ids[keep]), captions, kept_masks)
    image = draw_marks(_read(img), marks, LineStyle(thickness, font_scale), backend)
    present(image, show, wait_time, out_file, backend)
    return image


def imshow_mot_errors(
    img: str | np.ndarray,
    bboxes: np.ndarray,
    ids: np.ndarray,
    error_types: np.ndarray,
    thickness: int = 2,
    font_scale: float = 0.4,
    show: bool = False,
    wait_time: float = 100,
    out_file: str | None = None,
    backend: str = "cv2",
) -> np.ndarray:
    """Draw what a tracker got wrong in a frame.

    Args:
        img: Image ``(H, W, 3)`` uint8 BGR, or its file name. An array is not changed.
        bboxes: ``(N, 5)`` or ``(N, 4)``, x1, y1, x2, y2 in pixels first.
        ids: Identities ``(N,)``.
        error_types: ``(N,)``: 0 false positive (red), 1 missed object (yellow), 2 identity
            switch (blue).
        thickness: Line width in pixels.
        font_scale: Size of the letters, 1 is about 22 pixels high.
        show: Display the result in a window.
        wait_time: Milliseconds the window waits, 0 for a key press.
        out_file: File to write.
        backend: ``'cv2'`` or ``'plt'``.

    Returns:
        The drawn image, ``(H, W, 3)`` uint8, BGR.

    Raises:
        ValueError: lengths differ, unknown error type or backend.
    """
    bboxes, ids = np.asarray(bboxes), np.asarray(ids)
    error_types = np.asarray(error_types, np.int64)
    if not len(bboxes) == len(ids) == len(error_types):
        raise ValueError(
            f"{len(bboxes)} bboxes, {len(ids)} ids and {len(error_types)} error_types differ"
        )
    if not np.isin(error_types, range(len(ERROR_KINDS))).all():
        raise ValueError(f"error_types must be 0 (FP), 1 (FN) or 2 (IDSW), but are {error_types}")
    colors = np.array([color for _, color in ERROR_KINDS], np.uint8)[error_types]
    captions = [f"{ERROR_KINDS[e][0]} {int(i)}" for e, i in zip(error_types, ids, strict=True)]
    places = bboxes.reshape(len(ids), -1)[:, :4] if len(ids) else np.zeros((0, 4))
    marks = Marks(places, colors, captions)
    image = draw_marks(_read(img), marks, LineStyle(thickness, font_scale), backend)
    present(image, show, wait_time, out_file, backend)
    return image


def _read(img: str | np.ndarray) -> np.ndarray:
    """Image as an array; a file that cannot be decoded is named."""
    if isinstance(img, np.ndarray):
        return img
    image = mmcv.imread(img)
    if image is None:
        raise ValueError(f"{img} cannot be decoded as an image")
    return image


def _caption(track: int, label: int, score: float, classes: Sequence[str] | None) -> str:
    # Brackets, because blanks are narrow in OpenCV's font: "30 0.35" reads like 300.35.
    if classes is not None and len(classes) == 1:
        return f"{int(track)} ({score:.2f})"
    name = classes[int(label)] if classes is not None else f"class {int(label)}"
    return f"{int(track)} {name} ({score:.2f})"
