"""MaskTrack R-CNN."""

from __future__ import annotations

from typing import Any

import torch
from mmdet.models.builder import build_head

from ...core.mask import paste_masks
from ...core.track import outs2results
from ..builder import MODELS, build_detector, build_tracker
from ..mot.base import BaseMultiObjectTracker
from ..mot.tracking_by_detection import frame_id_of
from .instances import detect_instances


@MODELS.register_module()
class MaskTrackRCNN(BaseMultiObjectTracker):
    """Mask R-CNN with a third branch that tells instances apart.

    Args:
        detector: Config of the detector: one of mmdet with a RPN, boxes and masks.
        track_head: Config of the head that compares boxes of two frames.
        tracker: Config of the tracker.
        init_cfg: Initialisation of the weights.

    Reference: Yang et al., "Video Instance Segmentation", ICCV 2019,
    `arXiv:1905.04804 <https://arxiv.org/abs/1905.04804>`_.
    """

    def __init__(
        self,
        detector: dict | None = None,
        track_head: dict | None = None,
        tracker: dict | None = None,
        init_cfg: dict | None = None,
    ):
        super().__init__(init_cfg)
        if detector is not None:
            self.detector = build_detector(detector)
            if not (self.detector.with_roi_head and self.detector.with_mask):
                raise ValueError(
                    f"MaskTrackRCNN needs a two-stage detector with masks, for example MaskRCNN, "
                    f"not {type(self.detector).__name__}"
                )
        if track_head is not None:
            self.track_head = build_head(track_head)
        if tracker is not None:
            self.tracker = build_tracker(tracker)

    def forward_train(
        self,
        img: torch.Tensor,
        img_metas: list[dict],
        gt_bboxes: list[torch.Tensor],
        gt_labels: list[torch.Tensor],
        ref_img: torch.Tensor,
        ref_img_metas: list[dict],
        ref_gt_bboxes: list[torch.Tensor],
        ref_gt_labels: list[torch.Tensor],
        gt_instance_ids: list[torch.Tensor] | None = None,
        gt_bboxes_ignore: list[torch.Tensor] | None = None,
        gt_masks: list | None = None,
        proposals: list[torch.Tensor] | None = None,
        ref_gt_instance_ids: list[torch.Tensor] | None = None,
        ref_gt_bboxes_ignore: list[torch.Tensor] | None = None,
        ref_gt_masks: list | None = None,
        ref_proposals: list[torch.Tensor] | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Losses of the detector on key frames, and of the identities on pairs of frames.

        Args:
            img: Key frames, ``(B, C, H, W)``, normalised.
            img_metas: Their meta data.
            gt_bboxes: Boxes of the objects of each key frame, ``(g, 4)``, x1y1x2y2 in pixels.
            gt_labels: Classes of these objects.
            ref_img: Another frame of each video, ``(B, C, H, W)``.
            ref_img_metas: Their meta data.
            ref_gt_bboxes: Boxes of the objects of each reference frame.
            ref_gt_labels: Not used, as all further entries of reference frames.
            gt_instance_ids: Identities of the objects of each key frame.
            gt_bboxes_ignore: Boxes in each key frame that are no background.
            gt_masks: Masks of the objects of each key frame.
            proposals: Used instead of the proposals of the RPN.
            ref_gt_instance_ids: Identities of the objects of each reference frame.
            ref_gt_bboxes_ignore: Not used.
            ref_gt_masks: Not used.
            ref_proposals: Not used.
            **kwargs: For the heads of the detector.

        Raises:
            ValueError: identities are missing.
        """
        if gt_instance_ids is None or ref_gt_instance_ids is None:
            raise ValueError(
                "MaskTrackRCNN learns from identities: load them with "
                "SeqLoadAnnotations(with_track=True) and collect 'gt_instance_ids'"
            )
        x = self.detector.extract_feat(img)
        losses = {}
        if self.detector.with_rpn:
            proposal_cfg = self.detector.train_cfg.get("rpn_proposal", self.detector.test_cfg.rpn)
            rpn_losses, proposals = self.detector.rpn_head.forward_train(
                x,
                img_metas,
                gt_bboxes,
                gt_labels=None,
                gt_bboxes_ignore=gt_bboxes_ignore,
                proposal_cfg=proposal_cfg,
            )
            losses.update(rpn_losses)
        losses.update(
            self.detector.roi_head.forward_train(
                x, img_metas, proposals, gt_bboxes, gt_labels, gt_bboxes_ignore, gt_masks, **kwargs
            )
        )
        losses.update(
            self.track_head.forward_train(
                x,
                self.detector.extract_feat(ref_img),
                img_metas,
                proposals,
                gt_bboxes,
                ref_gt_bboxes,
                gt_labels,
                gt_instance_ids,
                ref_gt_instance_ids,
                gt_bboxes_ignore,
            )
        )
        return losses

    def simple_test(
        self, img: torch.Tensor, img_metas: list[dict], rescale: bool = False, **kwargs: Any
    ) -> dict[str, list]:
        """Segment the objects of the next frame of a video and continue the tracks.

        Args:
            img: The frame, ``(1, C, H, W)``, normalised.
            img_metas: Its meta data; ``frame_id`` 0 starts a video.
            rescale: Results in pixels of the original image instead of ``img``.
            **kwargs: For the tracker.

        Returns:
            ``track_bboxes``: per class ``(n, 6)``: id, x1, y1, x2, y2, score; ``track_masks``: per
            class a list of ``(H, W)`` bool.
        """
        frame_id = frame_id_of(img_metas)
        if frame_id == 0:
            self.tracker.reset()
        feats = self.detector.extract_feat(img)
        found = detect_instances(self.detector, feats, img_metas, rescale=rescale)
        bboxes, labels, masks, ids = self.tracker.track(
            img=img,
            img_metas=img_metas,
            model=self,
            feats=feats,
            bboxes=found.bboxes,
            labels=found.labels,
            masks=found.masks,
            frame_id=frame_id,
            rescale=rescale,
            **kwargs,
        )
        meta = img_metas[0]
        size = (meta["ori_shape"] if rescale else meta["img_shape"])[:2]
        if masks.shape[1:] != tuple(size):
            masks = paste_masks(masks, bboxes, size, found.mask_threshold)
        results = outs2results(bboxes, labels, masks, ids, num_classes=found.num_classes)
        return {
            "track_bboxes": results["bbox_results"],
            "track_masks": results["mask_results"],
        }
