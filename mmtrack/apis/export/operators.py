"""Non-maximum suppression as one node of an exported graph.

A list of boxes whose length depends on the image is what exporters are worst at. As an operator of
its own, suppression is one node: torch runs torchvision's kernel, and the exporter writes ONNX's
``NonMaxSuppression``, which drops low scores itself.
"""

from __future__ import annotations

import torch
import torchvision
from onnxscript import opset18 as op

EVERY_BOX = 2**31 - 1


@torch.library.custom_op("mmtrack::suppress", mutates_args=())
def suppress(
    bboxes: torch.Tensor, scores: torch.Tensor, iou_threshold: float, score_threshold: float
) -> torch.Tensor:
    """Greedy suppression within each group (a class, a level of a pyramid).

    Args:
        bboxes: ``(G, N, 4)``, x1y1x2y2.
        scores: ``(G, N)``.
        iou_threshold: Boxes that overlap a better one of their group by more are dropped.
        score_threshold: Boxes that do not score above are dropped.

    Returns:
        ``(K, 2)`` int64: group and number of the kept boxes, best first within a group.
    """
    kept = []
    for group, (boxes, values) in enumerate(zip(bboxes, scores, strict=True)):
        sure = (values > score_threshold).nonzero()[:, 0]
        best = sure[torchvision.ops.nms(boxes[sure], values[sure], iou_threshold)]
        kept.append(torch.stack((torch.full_like(best, group), best), dim=1))
    return torch.cat(kept)


@suppress.register_fake
def _(
    bboxes: torch.Tensor, scores: torch.Tensor, iou_threshold: float, score_threshold: float
) -> torch.Tensor:
    count = torch.library.get_ctx().new_dynamic_size()
    return bboxes.new_empty((count, 2), dtype=torch.int64)


def _onnx_suppress(bboxes, scores, iou_threshold: float, score_threshold: float):  # noqa: ANN001, ANN202 - the exporter reads annotations as types of ONNX
    found = op.NonMaxSuppression(
        bboxes,
        op.Unsqueeze(scores, op.Constant(value_ints=[1])),
        op.Constant(value_ints=[EVERY_BOX]),
        op.Constant(value_floats=[iou_threshold]),
        op.Constant(value_floats=[score_threshold]),
    )
    return op.Gather(found, op.Constant(value_ints=[0, 2]), axis=1)  # not the class, always 0


# For torch.onnx.export(custom_translation_table=...).
TRANSLATIONS = {torch.ops.mmtrack.suppress.default: _onnx_suppress}
