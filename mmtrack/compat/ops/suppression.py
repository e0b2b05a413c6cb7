"""Non-maximum suppression and box overlaps with the semantics of mmcv's compiled operators."""

from __future__ import annotations

import numpy as np
import torch
import torchvision
from torch import Tensor

from ._tensors import widen


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float, offset: int) -> Tensor:
    """Greedy suppression of boxes that overlap a better one by more than the threshold.

    Args:
        boxes: (n, 4) boxes x1, y1, x2, y2 in pixels.
        scores: (n,) scores.
        iou_threshold: Boxes with a larger IoU are removed.
        offset: 1 where a box of x1 == x2 is one pixel wide, else 0.

    Returns:
        (k,) indices of the boxes kept, best first.
    """
    boxes, scores = widen(boxes, scores)
    if offset:
        boxes = torch.cat((boxes[:, :2], boxes[:, 2:] + offset), dim=1)
    # mmcv compares in single precision: an IoU of exactly the threshold is kept.
    return torchvision.ops.nms(boxes, scores, float(np.float32(iou_threshold)))


def bbox_overlaps(
    bboxes1: Tensor, bboxes2: Tensor, ious: Tensor, mode: int, aligned: bool, offset: int
) -> None:
    """Fill ``ious`` with IoU (mode 0) or intersection over the first area (mode 1).

    Args:
        bboxes1: (m, 4) boxes x1, y1, x2, y2.
        bboxes2: (n, 4) boxes; n == m if aligned.
        ious: (m, n), or (m,) if aligned; overwritten.
        mode: 0 for intersection over union, 1 for intersection over the area of bboxes1.
        aligned: Compare box i with box i only.
        offset: Added to widths and heights.
    """
    first, second = widen(bboxes1, bboxes2)
    if not aligned:
        first = first[:, None]
    size = (
        torch.minimum(first[..., 2:], second[..., 2:])
        - torch.maximum(first[..., :2], second[..., :2])
        + offset
    ).clamp(min=0)
    overlap = size.prod(-1)
    area = (first[..., 2:] - first[..., :2] + offset).prod(-1)
    if mode == 0:
        area = area + (second[..., 2:] - second[..., :2] + offset).prod(-1) - overlap
    ious.copy_(overlap / area.clamp(min=offset))


def _iou_with_first(boxes: np.ndarray, areas: np.ndarray, offset: int) -> np.ndarray:
    """IoU of the first box with each following one."""
    size = np.minimum(boxes[0, 2:], boxes[1:, 2:]) - np.maximum(boxes[0, :2], boxes[1:, :2])
    size = np.maximum(size + size.dtype.type(offset), 0)
    overlap = size[:, 0] * size[:, 1]
    with np.errstate(invalid="ignore", divide="ignore"):  # two empty boxes: NaN, as in mmcv
        return overlap / (areas[0] + areas[1:] - overlap)


def _areas(boxes: np.ndarray, offset: int) -> np.ndarray:
    offset = boxes.dtype.type(offset)
    return (boxes[:, 2] - boxes[:, 0] + offset) * (boxes[:, 3] - boxes[:, 1] + offset)


def _decay(ious: np.ndarray, iou_threshold: float, sigma: float, method: int) -> np.ndarray:
    """Factor for the scores: 0 naive, 1 linear, 2 gaussian (Bodla et al., Soft-NMS, 2017)."""
    if method == 2:
        return np.exp(-(ious * ious) / ious.dtype.type(sigma))
    over = ious >= np.float32(iou_threshold)
    return np.where(over, 0 if method == 0 else 1 - ious, 1).astype(ious.dtype)


def _compact(keep: np.ndarray) -> np.ndarray:
    """Order in which survivors remain when each removed item is replaced by the last one.

    mmcv removes in place like this; the order decides ties between equal scores later on.
    """
    count = int(keep.sum())
    order = np.arange(count)
    holes = np.flatnonzero(~keep[:count])
    order[holes] = np.flatnonzero(keep[count:])[::-1] + count
    return order


def _first_maximum(scores: np.ndarray) -> int:
    """Index of the first maximum as a loop of comparisons finds it.

    Two boxes without area make a score NaN, which is never larger than another one.
    """
    best = int(np.argmax(scores))
    if not np.isnan(scores[best]):
        return best
    return 0 if np.isnan(scores[0]) else int(np.nanargmax(scores))


def softnms(
    boxes: Tensor,
    scores: Tensor,
    dets: Tensor,
    iou_threshold: float,
    sigma: float,
    min_score: float,
    method: int,
    offset: int,
) -> Tensor:
    """Soft suppression: overlapping boxes lose score instead of being removed.

    Args:
        boxes: (n, 4) boxes x1, y1, x2, y2 on the CPU.
        scores: (n,) scores.
        dets: (n, 5) written: the first k rows hold boxes and decayed scores.
        iou_threshold: Overlap from which scores decay (naive and linear).
        sigma: Width of the gaussian.
        min_score: Boxes whose score falls below are removed.
        method: 0 naive, 1 linear, 2 gaussian.
        offset: Added to widths and heights.

    Returns:
        (k,) indices of the boxes kept, in order of selection.
    """
    box, score = (tensor.detach().numpy().copy() for tensor in widen(boxes, scores))
    indices = np.arange(len(box))
    area = _areas(box, offset)
    minimum = score.dtype.type(min_score)
    start = 0
    while start < len(box):
        best = start + _first_maximum(score[start:])
        for array in (box, score, area, indices):
            array[[start, best]] = array[[best, start]]
        ious = _iou_with_first(box[start:], area[start:], offset)
        score[start + 1 :] *= _decay(ious, iou_threshold, sigma, method)
        keep = ~(score[start + 1 :] < minimum)
        start += 1
        if not keep.all():
            order = np.concatenate((np.arange(start), _compact(keep) + start))
            box, score, area, indices = box[order], score[order], area[order], indices[order]
    result = np.concatenate((box, score[:, None]), axis=1)
    dets[: len(result)] = torch.from_numpy(result).to(dets.dtype)
    return torch.from_numpy(indices)


def nms_match(dets: Tensor, iou_threshold: float) -> list[list[int]]:
    """Groups of boxes that a kept box suppresses, in order of score.

    Args:
        dets: (n, 5) boxes x1, y1, x2, y2 and score on the CPU.
        iou_threshold: Boxes with at least this IoU join the group.

    Returns:
        For each kept box a list of indices, starting with itself.
    """
    (dets,) = widen(dets)
    remaining = dets[:, 4].sort(descending=True)[1].numpy()
    box = dets[:, :4].numpy()
    groups = []
    while len(remaining):
        rest = box[remaining]
        ious = _iou_with_first(rest, _areas(rest, 0), 0)
        matched = ious >= np.float32(iou_threshold)
        groups.append([int(remaining[0]), *remaining[1:][matched].tolist()])
        remaining = remaining[1:][~matched]
    return groups
