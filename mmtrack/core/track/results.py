"""Tables of boxes to and from the per-class lists that models return."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch


def _to_numpy(value: torch.Tensor | np.ndarray) -> np.ndarray:
    return value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else np.asarray(value)


def outs2results(
    bboxes: torch.Tensor | np.ndarray | None = None,
    labels: torch.Tensor | np.ndarray | None = None,
    masks: torch.Tensor | np.ndarray | None = None,
    ids: torch.Tensor | np.ndarray | None = None,
    num_classes: int | None = None,
    **kwargs: Any,
) -> dict[str, list]:
    """Sort detections or tracks into one array per class.

    Args:
        bboxes: ``(n, 5)``, x1y1x2y2 and score.
        labels: Class of each row, ``(n,)``.
        masks: Mask of each row, ``(n, h, w)``.
        ids: Identity of each row, ``(n,)``; rows with a negative id belong to no track and are
            left out.
        num_classes: Number of classes without background.
        **kwargs: Ignored.

    Returns:
        ``bbox_results``, one ``(k, 5)`` array per class, or ``(k, 6)`` with the id first when ids
        are given; and ``mask_results``, one list of ``(h, w)`` masks per class, when masks are.

    Raises:
        ValueError: labels or num_classes are missing, or a label is not below num_classes.
    """
    if labels is None or num_classes is None:
        raise ValueError("outs2results needs labels and num_classes")
    labels = _to_numpy(labels)
    keep = np.ones(len(labels), dtype=bool)
    if ids is not None:
        ids = _to_numpy(ids)
        keep = ids > -1
    if labels.size and not 0 <= labels.min() <= labels.max() < num_classes:
        raise ValueError(
            f"outs2results: labels must lie in [0, {num_classes}), found "
            f"{labels.min()} to {labels.max()}"
        )
    rows_per_class = [np.flatnonzero(keep & (labels == c)) for c in range(num_classes)]
    results = {}
    if bboxes is not None:
        table = _to_numpy(bboxes)
        if ids is not None:
            table = np.concatenate((ids[:, None].astype(table.dtype), table), axis=1)
        results["bbox_results"] = [table[rows] for rows in rows_per_class]
    if masks is not None:
        masks = _to_numpy(masks)
        results["mask_results"] = [[masks[row] for row in rows] for rows in rows_per_class]
    return results


def results2outs(
    bbox_results: list[np.ndarray] | None = None,
    mask_results: list[list[np.ndarray]] | None = None,
    mask_shape: tuple[int, int] | None = None,
    **kwargs: Any,
) -> dict[str, np.ndarray]:
    """Join per-class lists to one table; the inverse of :func:`outs2results`.

    Args:
        bbox_results: One array per class, ``(k, 5)``, or ``(k, 6)`` with the id first.
        mask_results: One list of ``(h, w)`` masks per class.
        mask_shape: Height and width of the masks; needed when there may be none.
        **kwargs: Ignored.

    Returns:
        ``labels`` ``(n,)`` int64 and ``bboxes`` ``(n, 5)`` float32; ``ids`` ``(n,)`` int64 when the
        arrays carry them; ``masks`` ``(n, h, w)`` bool when masks are given.

    Raises:
        ValueError: an array has neither 5 nor 6 columns, or there are no masks and no mask_shape.
    """
    outs = {}
    if bbox_results is not None:
        table = np.concatenate(bbox_results, axis=0)
        if table.ndim != 2 or table.shape[1] not in (5, 6):
            raise ValueError(f"bbox_results must have 5 or 6 columns, found {table.shape}")
        counts = [len(rows) for rows in bbox_results]
        outs["labels"] = np.repeat(np.arange(len(bbox_results)), counts)
        outs["bboxes"] = table[:, -5:].astype(np.float32)
        if table.shape[1] == 6:
            outs["ids"] = table[:, 0].astype(np.int64)
    if mask_results is not None:
        masks = [mask for group in mask_results for mask in group]
        if not masks and mask_shape is None:
            raise ValueError("results2outs: mask_shape is needed when there are no masks")
        shape = mask_shape if mask_shape is not None else masks[0].shape
        outs["masks"] = np.array(masks, dtype=bool).reshape(-1, *shape)
    return outs
