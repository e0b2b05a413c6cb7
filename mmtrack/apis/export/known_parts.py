"""Which parts of mmdet the graphs stand for, and whether a detector has changed them."""

from __future__ import annotations

from typing import Any

from mmdet.core.bbox.coder import DeltaXYWHBBoxCoder
from mmdet.models.dense_heads import AnchorHead, RPNHead
from mmdet.models.roi_heads import SingleRoIExtractor, StandardRoIHead

# What a subclass must not have changed.
METHODS = {
    AnchorHead: ("forward", "get_bboxes", "_get_bboxes_single", "_bbox_post_process"),
    RPNHead: ("_get_bboxes_single", "_bbox_post_process"),
    StandardRoIHead: ("simple_test", "simple_test_bboxes", "_bbox_forward"),
    SingleRoIExtractor: ("map_roi_levels",),
    DeltaXYWHBBoxCoder: ("decode",),
}


def require_kind(part: Any, kind: type, name: str) -> None:
    """Refuse a part that computes something else than a graph does.

    Args:
        part: The part.
        kind: A class of :data:`METHODS`.
        name: Where it stands in the detector, for the message.

    Raises:
        ValueError: it is no such class, or has methods of its own.
    """
    same = [getattr(type(part), f, None) is getattr(kind, f, None) for f in METHODS[kind]]
    if not isinstance(part, kind) or not all(same):
        raise ValueError(
            f"there is no graph for a detector whose {name} is {type(part).__name__}; "
            f"{kind.__name__} can be exported"
        )


def require_coder(coder: DeltaXYWHBBoxCoder) -> None:
    """Refuse settings of a coder that no graph follows.

    Raises:
        ValueError: it has ``add_ctr_clamp``.
    """
    if coder.add_ctr_clamp:
        raise ValueError("there is no graph for a bbox_coder with add_ctr_clamp=True")
