"""Head that follows instances by the features of their boxes."""

from __future__ import annotations

from typing import Any

import torch
from mmcv.runner import BaseModule
from mmdet.core import bbox2roi, build_assigner, build_sampler
from mmdet.models import HEADS
from mmdet.models.builder import build_head, build_roi_extractor


@HEADS.register_module()
class RoITrackHead(BaseModule):
    """Compares boxes of two frames, and learns it from pairs of frames.

    Args:
        roi_extractor: Config of what takes the features of boxes out of feature maps.
        embed_head: Config of what compares them, for example :class:`RoIEmbedHead`.
        regress_head: Not supported.
        train_cfg: ``assigner`` and ``sampler`` of boxes.
        test_cfg: Not used.
        init_cfg: Initialisation of the weights.
        *args: Ignored.
        **kwargs: Ignored.

    Raises:
        NotImplementedError: there is a ``regress_head``.

    Reference: Yang et al., "Video Instance Segmentation", ICCV 2019, section 4.1.
    """

    def __init__(
        self,
        roi_extractor: dict | None = None,
        embed_head: dict | None = None,
        regress_head: dict | None = None,
        train_cfg: dict | None = None,
        test_cfg: dict | None = None,
        init_cfg: dict | None = None,
        *args: Any,
        **kwargs: Any,
    ):
        super().__init__(init_cfg)
        if regress_head is not None:
            raise NotImplementedError("RoITrackHead has no regress_head: leave it out")
        self.train_cfg = train_cfg
        self.test_cfg = test_cfg
        self.bbox_assigner = None
        self.bbox_sampler = None
        if embed_head is not None:
            self.init_embed_head(roi_extractor, embed_head)
        self.init_assigner_sampler()

    def init_embed_head(self, roi_extractor: dict, embed_head: dict) -> None:
        """Build the extractor and the head of embeddings."""
        self.roi_extractor = build_roi_extractor(roi_extractor)
        self.embed_head = build_head(embed_head)

    def init_assigner_sampler(self) -> None:
        """Build what chooses the boxes to learn from."""
        if self.train_cfg:
            self.bbox_assigner = build_assigner(self.train_cfg["assigner"])
            self.bbox_sampler = build_sampler(self.train_cfg["sampler"], context=self)

    @property
    def with_track(self) -> bool:
        """Whether there is a head of embeddings."""
        return getattr(self, "embed_head", None) is not None

    def extract_roi_feats(
        self, x: list[torch.Tensor], bboxes: list[torch.Tensor]
    ) -> tuple[torch.Tensor, list[int]]:
        """Features of boxes.

        Args:
            x: Feature maps, each ``(B, C, h, w)``.
            bboxes: Boxes of each image, ``(n, 4)`` or wider, x1y1x2y2 in its pixels first.

        Returns:
            Features of all boxes, ``(N, C, H, W)``, and the number of boxes of each image.
        """
        rois = bbox2roi([boxes[:, :4] for boxes in bboxes])
        feats = self.roi_extractor(x[: self.roi_extractor.num_inputs], rois)
        return feats, [len(boxes) for boxes in bboxes]

    def forward_train(
        self,
        x: list[torch.Tensor],
        ref_x: list[torch.Tensor],
        img_metas: list[dict],
        proposal_list: list[torch.Tensor],
        gt_bboxes: list[torch.Tensor],
        ref_gt_bboxes: list[torch.Tensor],
        gt_labels: list[torch.Tensor],
        gt_instance_ids: list[torch.Tensor],
        ref_gt_instance_ids: list[torch.Tensor],
        gt_bboxes_ignore: list[torch.Tensor] | None = None,
        **kwargs: Any,
    ) -> dict[str, torch.Tensor]:
        """Losses of a batch of pairs of frames.

        Args:
            x: Feature maps of the key frames.
            ref_x: Feature maps of the reference frames.
            img_metas: Meta data of the key frames.
            proposal_list: Proposals in each key frame, ``(n, 4)`` or wider, x1y1x2y2 in pixels
                first.
            gt_bboxes: Boxes of the objects of each key frame, ``(g, 4)``.
            ref_gt_bboxes: Boxes of the objects of each reference frame, ``(r, 4)``.
            gt_labels: Classes of the objects of each key frame, ``(g,)``.
            gt_instance_ids: Identities of the objects of each key frame, ``(g,)``.
            ref_gt_instance_ids: Identities of the objects of each reference frame, ``(r,)``.
            gt_bboxes_ignore: Boxes in each key frame that are no background.
            **kwargs: Not used.

        Returns:
            See :meth:`RoIEmbedHead.loss`.
        """
        sampling_results = self._sample(x, proposal_list, gt_bboxes, gt_labels, gt_bboxes_ignore)
        feats, counts = self.extract_roi_feats(x, [found.bboxes for found in sampling_results])
        ref_feats, ref_counts = self.extract_roi_feats(ref_x, ref_gt_bboxes)
        logits = self.embed_head(feats, ref_feats, counts, ref_counts)
        targets = self.embed_head.get_targets(
            sampling_results, gt_instance_ids, ref_gt_instance_ids
        )
        return self.embed_head.loss(logits, *targets)

    def simple_test(self, roi_feats: torch.Tensor, prev_roi_feats: torch.Tensor) -> torch.Tensor:
        """Compare the boxes of a frame with remembered ones.

        Args:
            roi_feats: Features of the boxes, ``(N, C, H, W)``.
            prev_roi_feats: Features of the remembered boxes, ``(M, C, H, W)``.

        Returns:
            Logits, ``(N, M + 1)``; column 0 stands for "none of them".
        """
        return self.embed_head(roi_feats, prev_roi_feats, [len(roi_feats)], [len(prev_roi_feats)])[
            0
        ]

    def _sample(
        self,
        x: list[torch.Tensor],
        proposal_list: list[torch.Tensor],
        gt_bboxes: list[torch.Tensor],
        gt_labels: list[torch.Tensor],
        gt_bboxes_ignore: list[torch.Tensor] | None,
    ) -> list:
        """Boxes to learn from in each key frame, mmdet's ``SamplingResult``."""
        ignored = gt_bboxes_ignore or [None] * len(gt_bboxes)
        results = []
        for i, proposals in enumerate(proposal_list):
            assigned = self.bbox_assigner.assign(proposals, gt_bboxes[i], ignored[i], gt_labels[i])
            results.append(
                self.bbox_sampler.sample(
                    assigned,
                    proposals,
                    gt_bboxes[i],
                    gt_labels[i],
                    feats=[level[i][None] for level in x],
                )
            )
        return results
