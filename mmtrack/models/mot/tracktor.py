"""Tracktor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from ..builder import MODELS, build_motion
from ..motion import CameraMotionCompensation
from .detections import answers_boxes_alone
from .tracking_with_reid import TrackingWithReID


@MODELS.register_module()
class Tracktor(TrackingWithReID):
    """Tracking without bells and whistles: the detector moves the boxes of its last frame itself.

    The method is in :class:`~mmtrack.models.trackers.TracktorTracker`; the model hands it the
    detections and the feature maps that they come from.

    Args:
        detector: Config of a detector with two stages; the second one regresses the tracks.
        reid: Config of the re-identification model.
        tracker: Config of the tracker.
        motion: Config of one motion model or a list of them: ``CameraMotionCompensation`` becomes
            ``cmc``, any other ``linear_motion``.
        pretrains: Deprecated, see :class:`TrackingWithReID`.
        init_cfg: Initialisation of the weights.

    Raises:
        ValueError: there is no second stage that can be asked for boxes, or there are two motion
            models of the same kind.

    Reference: Bergmann et al., "Tracking Without Bells and Whistles", ICCV 2019,
    `arXiv:1903.05625 <https://arxiv.org/abs/1903.05625>`_.
    """

    def __init__(
        self,
        detector: dict | None = None,
        reid: dict | None = None,
        tracker: dict | None = None,
        motion: dict | Sequence[dict] | None = None,
        pretrains: dict | None = None,
        init_cfg: dict | None = None,
    ):
        super().__init__(detector, reid, tracker, None, pretrains, init_cfg)
        if self.with_detector and not answers_boxes_alone(getattr(self.detector, "roi_head", None)):
            raise ValueError(
                "Tracktor moves boxes with the second stage of its detector, and "
                f"{type(self.detector).__name__} has none with one head for boxes: take a detector "
                "like FasterRCNN"
            )
        if motion is not None:
            self._set_motion([motion] if isinstance(motion, dict) else motion)

    def _set_motion(self, configs: Sequence[dict]) -> None:
        for config in configs:
            part = build_motion(config)
            name = "cmc" if isinstance(part, CameraMotionCompensation) else "linear_motion"
            if self.has_part(name):
                raise ValueError(f"Tracktor takes one {name} model, found two in {list(configs)}")
            setattr(self, name, part)

    @property
    def with_cmc(self) -> bool:
        """Whether there is a model that compensates the motion of the camera."""
        return self.has_part("cmc")

    @property
    def with_linear_motion(self) -> bool:
        """Whether there is a linear motion model."""
        return self.has_part("linear_motion")

    def shared_features(self, img: torch.Tensor) -> dict[str, Any]:
        """Feature maps of the frame: detections and tracks are read from the same."""
        return {"feats": self.detector.extract_feat(img)}
