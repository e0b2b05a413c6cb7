"""QDTrack."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from mmdet.models.builder import build_head

from ..builder import MODELS, build_detector, build_tracker
from .base import BaseMultiObjectTracker
from .detections import detect_objects
from .tracking_by_detection import frame_id_of, per_class_bboxes


@MODELS.register_module()
class QDTrack(BaseMultiObjectTracker):
    """Objects are found again by embeddings that are learnt from all proposals around them.

    Args:
        detector: Config of the detector, one of mmdet's with two stages.
        track_head: Config of the head that embeds boxes.
        tracker: Config of the tracker.
        freeze_detector: Keep the weights of the detector as they are.
        *args: Of :class:`BaseMultiObjectTracker`.
        **kwargs: Of :class:`BaseMultiObjectTracker`.

    Raises:
        ValueError: the detector has one stage.

    Reference: Pang et al., "Quasi-Dense Similarity Learning for Multiple Object Tracking",
    CVPR 2021, `arXiv:2006.06664 <https://arxiv.org/abs/2006.06664>`_.
    """

    def __init__(
        self,
        detector: dict | None = None,
        track_head: dict | None = None,
        tracker: dict | None = None,
        freeze_detector: bool = False,
        *args: Any,
        **kwargs: Any,
    ):
        super().__init__(*args, **kwargs)
        if detector is not None:
            self.detector = build_detector(detector)
            missing = [n for n in ("rpn_head", "roi_head") if not hasattr(self.detector, n)]
            if missing:
                raise ValueError(
                    f"QDTrack learns from proposals and {type(self.detector).__name__} has no "
                    f"{' and '.join(missing)}: take a two-stage detector, for example FasterRCNN"
                )
        if track_head is not None:
            self.track_head = build_head(track_head)
        if tracker is not None:
            self.tracker = build_tracker(tracker)
        self.freeze_detector = freeze_detector
        if freeze_detector:
            self.freeze_module("detector")

    def forward_train(
        self,
        img: torch.Tensor,
        img_metas: list[dict],
        gt_bboxes: list[torch.Tensor],
        gt_labels: list[torch.Tensor],
        gt_match_indices: list[torch.Tensor],
        ref_img: torch.Tensor,
        ref_img_metas: list[dict],
        ref_gt_bboxes: list[torch.Tensor],
        ref_gt_labels: list[torch.Tensor],
        gt_bboxes_ignore: list[torch.Tensor] | None = None,
        gt_masks: list | None = None,
        ref_gt_bboxes_ignore: list[torch.Tensor] | None = None,
        ref_gt_masks: list | None = None,
        **kwargs: Any,
    ) -> dict[str, torch.Tensor]:
        """Losses of the detector on the key frames, and of the embeddings on the pairs of frames.

        Args:
            img: Key frames, ``(N, C, H, W)``, normalised.
            img_metas: Meta data of the key frames.
            gt_bboxes: Boxes of the objects of each key frame, ``(g, 4)``, x1y1x2y2 in pixels.
            gt_labels: Their classes, ``(g,)``.
            gt_match_indices: For each object of each key frame its index among the objects of the
                reference frame, or -1, ``(g,)``.
            ref_img: Reference frames, ``(N, C, H, W)``.
            ref_img_metas: Meta data of the reference frames.
            ref_gt_bboxes: Boxes of the objects of each reference frame, ``(r, 4)``.
            ref_gt_labels: Their classes, ``(r,)``.
            gt_bboxes_ignore: Boxes in each key frame that are no background.
            gt_masks: Masks of the objects of each key frame, for detectors with masks.
            ref_gt_bboxes_ignore: Boxes in each reference frame that are no background.
            ref_gt_masks: Not used.
            **kwargs: Not used.
        """
        x = self.detector.extract_feat(img)
        losses, proposals = self._proposal_losses(x, img_metas, gt_bboxes, gt_bboxes_ignore)
        losses.update(
            self.detector.roi_head.forward_train(
                x, img_metas, proposals, gt_bboxes, gt_labels, gt_bboxes_ignore, gt_masks
            )
        )
        ref_x = self.detector.extract_feat(ref_img)
        ref_proposals = self.detector.rpn_head.simple_test_rpn(ref_x, ref_img_metas)
        losses.update(
            self.track_head.forward_train(
                x, img_metas, proposals, gt_bboxes, gt_labels, gt_match_indices,
                ref_x, ref_img_metas, ref_proposals, ref_gt_bboxes, ref_gt_labels,
                gt_bboxes_ignore, gt_masks, ref_gt_bboxes_ignore,
            )
        )  # fmt: skip
        return losses

    def _proposal_losses(
        self,
        x: list[torch.Tensor],
        img_metas: list[dict],
        gt_bboxes: list[torch.Tensor],
        gt_bboxes_ignore: list[torch.Tensor] | None,
    ) -> tuple[dict, list[torch.Tensor]]:
        detector = self.detector
        losses, proposals = detector.rpn_head.forward_train(
            x,
            img_metas,
            gt_bboxes,
            gt_labels=None,
            gt_bboxes_ignore=gt_bboxes_ignore,
            proposal_cfg=detector.train_cfg.get("rpn_proposal", detector.test_cfg.rpn),
        )
        return dict(losses), proposals

    def simple_test(
        self, img: torch.Tensor, img_metas: list[dict], rescale: bool = False
    ) -> dict[str, list[np.ndarray]]:
        """Detect objects in the next frame of a video and continue the tracks.

        Args:
            img: The frame, ``(1, C, H, W)``, normalised.
            img_metas: Its meta data; ``frame_id`` 0 starts a video.
            rescale: Boxes in pixels of the original image instead of ``img``.

        Returns:
            ``det_bboxes``: per class ``(n, 5)`` rows of ``x1, y1, x2, y2, score``, and
            ``track_bboxes``: per class ``(n, 6)`` rows of ``id, x1, y1, x2, y2, score``.
        """
        frame_id = frame_id_of(img_metas)
        if frame_id == 0:
            self.tracker.reset()
        feats = self.detector.extract_feat(img)
        detections = detect_objects(self.detector, img, img_metas, rescale=rescale, feats=feats)
        # custom trackers with the documented arguments know no rescale, and expect it
        scaled = {} if rescale else {"rescale": False}
        bboxes, labels, ids = self.tracker.track(
            img_metas=img_metas,
            feats=feats,
            model=self,
            bboxes=detections.bboxes,
            labels=detections.labels,
            frame_id=frame_id,
            **scaled,
        )
        return {
            "det_bboxes": per_class_bboxes(detections.num_classes, *detections[:2]),
            "track_bboxes": per_class_bboxes(detections.num_classes, bboxes, labels, ids),
        }
