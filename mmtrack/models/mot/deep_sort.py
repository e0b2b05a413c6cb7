"""SORT and DeepSORT."""

from __future__ import annotations

import copy
import warnings
from typing import Any

import numpy as np
import torch

from ..builder import MODELS, build_reid
from .detections import detect_objects
from .tracking_by_detection import TrackingByDetection


@MODELS.register_module()
class DeepSORT(TrackingByDetection):
    """DeepSORT; without ``reid`` it is SORT.

    Detector and re-identification model are trained on their own, see ``configs/det`` and
    ``configs/reid``.

    Args:
        detector: Config of the detector, any of mmdet's; public detections need one with two
            stages.
        reid: Config of the re-identification model, which the tracker reads as ``model.reid``.
        tracker: Config of the tracker.
        motion: Config of the motion model, which the tracker reads as ``model.motion``.
        pretrains: Deprecated: checkpoints of ``detector`` and ``reid`` by these names. Use the
            ``init_cfg`` of the parts.
        init_cfg: Initialisation of the weights.

    Reference: Bewley et al., "Simple Online and Realtime Tracking", ICIP 2016,
    `arXiv:1602.00763 <https://arxiv.org/abs/1602.00763>`_; Wojke et al., "Simple Online and
    Realtime Tracking with a Deep Association Metric", ICIP 2017,
    `arXiv:1703.07402 <https://arxiv.org/abs/1703.07402>`_.
    """

    def __init__(
        self,
        detector: dict | None = None,
        reid: dict | None = None,
        tracker: dict | None = None,
        motion: dict | None = None,
        pretrains: dict | None = None,
        init_cfg: dict | None = None,
    ):
        detector, reid = with_pretrains(pretrains, detector=detector, reid=reid)
        super().__init__(detector, tracker, motion, init_cfg)
        if reid is not None:
            self.reid = build_reid(reid)

    def forward_train(self, *args: Any, **kwargs: Any) -> dict:
        """Not available: the parts are trained one by one."""
        raise NotImplementedError(
            "DeepSORT is put together from trained parts: train the detector with a config of "
            "configs/det and the ReID model with one of configs/reid, then test"
        )

    def simple_test(
        self,
        img: torch.Tensor,
        img_metas: list[dict],
        rescale: bool = False,
        public_bboxes: list[torch.Tensor] | None = None,
        **kwargs: Any,
    ) -> dict[str, list[np.ndarray]]:
        """Detect objects in the next frame of a video and continue the tracks.

        Args:
            img: The frame, ``(1, C, H, W)``, normalised.
            img_metas: Its meta data; ``frame_id`` 0 starts a video.
            rescale: Boxes in pixels of the original image instead of ``img``.
            public_bboxes: Detections given by the benchmark, ``(n, 4)``, ``x1, y1, x2, y2`` in
                pixels of ``img``. The second stage of the detector scores and refines them.
            **kwargs: For the tracker.

        Returns:
            See :meth:`TrackingByDetection.simple_test`.
        """
        if public_bboxes is not None:
            public_bboxes = [_boxes_of_frame(given).to(img) for given in public_bboxes]
        # Not class by class as in the other models: new tracks are numbered in this order.
        detections = detect_objects(
            self.detector, img, img_metas, rescale=rescale, proposals=public_bboxes
        )
        return self.link(img, img_metas, detections, rescale=rescale, **kwargs)


def _boxes_of_frame(given: torch.Tensor | list[torch.Tensor]) -> torch.Tensor:
    """Boxes ``(n, 4)`` of a frame: the data loader puts a batch dimension or a list around them."""
    boxes = torch.as_tensor(given[0] if isinstance(given, list | tuple) else given)
    return boxes[0] if boxes.dim() == 3 else boxes


def with_pretrains(pretrains: dict | None, **parts: dict | None) -> list[dict | None]:
    """Configs of parts with the deprecated ``pretrains`` turned into their ``init_cfg``.

    Args:
        pretrains: Name of a part to the address of its checkpoint.
        **parts: Name of a part to its config.

    Returns:
        The configs, changed where ``pretrains`` names the part.

    Raises:
        ValueError: a name is unknown, or its address is not a string.
    """
    if pretrains is None:
        return list(parts.values())
    warnings.warn(
        "pretrains is deprecated, use init_cfg=dict(type='Pretrained', ...) of the parts",
        DeprecationWarning,
        stacklevel=3,
    )
    parts = copy.deepcopy(parts)
    for name, checkpoint in pretrains.items():
        if parts.get(name) is None or not isinstance(checkpoint, str):
            raise ValueError(
                f"pretrains wants a checkpoint for some of {[n for n, p in parts.items() if p]}, "
                f"not {name}={checkpoint!r}"
            )
        parts[name]["init_cfg"] = {"type": "Pretrained", "checkpoint": checkpoint}
    return list(parts.values())
