"""Second stage of a detector that compares proposals of several frames."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from mmdet.core import bbox2result, bbox2roi
from mmdet.core.bbox.samplers import SamplingResult
from mmdet.models.builder import HEADS
from mmdet.models.roi_heads import StandardRoIHead

from ..aggregators.selsa_aggregator import EncodedReferences

Levels = list[torch.Tensor] | tuple[torch.Tensor, ...]


@HEADS.register_module()
class SelsaRoIHead(StandardRoIHead):
    """RoI head that hands the proposals of reference frames to its box head.

    Reference: Wu et al., "Sequence Level Semantics Aggregation for Video Object Detection",
    ICCV 2019.
    """

    def forward_train(
        self,
        x: Levels,
        ref_x: Levels,
        img_metas: list[dict],
        proposal_list: list[torch.Tensor],
        ref_proposal_list: list[torch.Tensor],
        gt_bboxes: list[torch.Tensor],
        gt_labels: list[torch.Tensor],
        gt_bboxes_ignore: list[torch.Tensor] | None = None,
        gt_masks: Any = None,
    ) -> dict[str, torch.Tensor]:
        """Losses of a frame.

        Args:
            x: Features of the key frame, one tensor ``(1, C, H, W)`` per level.
            ref_x: Features of the references, ``(N, C, H, W)`` per level.
            img_metas: Meta data of the key frame.
            proposal_list: Proposals of the key frame, ``[(P, 5)]``.
            ref_proposal_list: Proposals of each reference, ``(P, 5)``.
            gt_bboxes: ``[(G, 4)]``, ``x1, y1, x2, y2`` in pixels.
            gt_labels: ``[(G,)]``.
            gt_bboxes_ignore: Boxes that are neither right nor wrong, ``[(K, 4)]``.
            gt_masks: Masks, for a mask head.

        Returns:
            Losses by name.
        """
        ignored = [None] * len(img_metas) if gt_bboxes_ignore is None else gt_bboxes_ignore
        samples = [
            self._sample(x, i, proposal_list[i], gt_bboxes[i], gt_labels[i], ignored[i])
            for i in range(len(img_metas))
        ]
        references = self._reference_feats(ref_x, ref_proposal_list)
        rois = bbox2roi([sample.bboxes for sample in samples])
        found = self._bbox_forward(x, rois, ref_x, references)
        targets = self.bbox_head.get_targets(samples, gt_bboxes, gt_labels, self.train_cfg)
        losses = self.bbox_head.loss(found["cls_score"], found["bbox_pred"], rois, *targets)
        if self.with_mask:
            masks = self._mask_forward_train(x, samples, found["bbox_feats"], gt_masks, img_metas)
            losses.update(masks["loss_mask"])
        return losses

    def encode_references(
        self, ref_x: Levels, ref_proposals_list: list[torch.Tensor]
    ) -> list[EncodedReferences]:
        """What the box head needs of the references; it does not depend on the key frame.

        Args:
            ref_x: Features of the references, ``(N, C, H, W)`` per level.
            ref_proposals_list: Proposals of each reference, ``(P, 5)``.

        Returns:
            Keys and values of all proposals in this order, one entry per aggregator.
        """
        return self.bbox_head.encode_references(self._reference_feats(ref_x, ref_proposals_list))

    def simple_test(
        self,
        x: Levels,
        ref_x: Levels,
        proposals_list: list[torch.Tensor],
        ref_proposals_list: list[torch.Tensor] | None,
        img_metas: list[dict],
        proposals: list[torch.Tensor] | None = None,
        rescale: bool = False,
        references: list[EncodedReferences] | None = None,
    ) -> list[list[np.ndarray]] | list[tuple]:
        """Detections of a frame.

        Args:
            x: Features of the key frame, one tensor ``(1, C, H, W)`` per level.
            ref_x: Features of the references, ``(N, C, H, W)`` per level.
            proposals_list: Proposals of the key frame, ``[(P, 5)]``.
            ref_proposals_list: Proposals of each reference, ``(P, 5)``.
            img_metas: Meta data of the key frame.
            proposals: Not used; the name is part of mmdet's interface.
            rescale: Boxes in pixels of the original image instead of the features' image.
            references: What :meth:`encode_references` made of the references, where it was called
                before; ``ref_proposals_list`` is not read then.

        Returns:
            Per image the boxes ``(n, 5)`` of each class, with masks if there is a mask head.
        """
        bboxes, labels = self.simple_test_bboxes(
            x,
            ref_x,
            proposals_list,
            ref_proposals_list,
            img_metas,
            self.test_cfg,
            rescale=rescale,
            references=references,
        )
        results = [
            bbox2result(found, classes, self.bbox_head.num_classes)
            for found, classes in zip(bboxes, labels, strict=True)
        ]
        if not self.with_mask:
            return results
        masks = self.simple_test_mask(x, img_metas, bboxes, labels, rescale=rescale)
        return list(zip(results, masks, strict=True))

    def simple_test_bboxes(
        self,
        x: Levels,
        ref_x: Levels,
        proposals: list[torch.Tensor],
        ref_proposals: list[torch.Tensor] | None,
        img_metas: list[dict],
        rcnn_test_cfg: dict,
        rescale: bool = False,
        references: list[EncodedReferences] | None = None,
    ) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        """Boxes of a frame; arguments as in :meth:`simple_test`.

        Returns:
            Boxes ``[(n, 5)]``, ``x1, y1, x2, y2, score``, and their classes ``[(n,)]``.
        """
        rois = bbox2roi(proposals)
        if not len(rois):
            return [rois.new_zeros(0, 5)], [rois.new_zeros(0, dtype=torch.long)]
        if references is None:
            references = self.encode_references(ref_x, ref_proposals)
        found = self._bbox_forward(x, rois, ref_x, references)
        meta = img_metas[0]
        bboxes, labels = self.bbox_head.get_bboxes(
            rois,
            found["cls_score"],
            found["bbox_pred"],
            meta["img_shape"],
            meta["scale_factor"],
            rescale=rescale,
            cfg=rcnn_test_cfg,
        )
        return [bboxes], [labels]

    def _bbox_forward(
        self,
        x: Levels,
        rois: torch.Tensor,
        ref_x: Levels,
        references: torch.Tensor | list[EncodedReferences],
    ) -> dict[str, torch.Tensor]:
        """Scores and refinements of regions, and their features."""
        count = self.bbox_roi_extractor.num_inputs
        feats = self.bbox_roi_extractor(x[:count], rois, ref_feats=ref_x[:count])
        if self.with_shared_head:
            feats = self.shared_head(feats)
        scores, refinements = self.bbox_head(feats, references)
        return {"cls_score": scores, "bbox_pred": refinements, "bbox_feats": feats}

    def _reference_feats(self, ref_x: Levels, ref_proposals: list[torch.Tensor]) -> torch.Tensor:
        """Features of the proposals of all references, ``(M, C, h, w)``."""
        rois = bbox2roi(ref_proposals)
        feats = self.bbox_roi_extractor(ref_x[: self.bbox_roi_extractor.num_inputs], rois)
        return self.shared_head(feats) if self.with_shared_head else feats

    def _sample(
        self,
        x: Levels,
        image: int,
        proposals: torch.Tensor,
        gt_bboxes: torch.Tensor,
        gt_labels: torch.Tensor,
        gt_bboxes_ignore: torch.Tensor | None,
    ) -> SamplingResult:
        """Proposals to train on, and the boxes they belong to."""
        assigned = self.bbox_assigner.assign(proposals, gt_bboxes, gt_bboxes_ignore, gt_labels)
        return self.bbox_sampler.sample(
            assigned, proposals, gt_bboxes, gt_labels, feats=[level[image][None] for level in x]
        )
