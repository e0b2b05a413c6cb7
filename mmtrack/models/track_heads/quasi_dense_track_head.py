"""Track head of QDTrack."""

from __future__ import annotations

from typing import Any

import torch
from mmdet.models import HEADS

from .roi_track_head import RoITrackHead


@HEADS.register_module()
class QuasiDenseTrackHead(RoITrackHead):
    """Embeds boxes, and learns it from all proposals around the objects of two frames.

    Args:
        *args: Of :class:`RoITrackHead`.
        **kwargs: Of :class:`RoITrackHead`.

    Reference: Pang et al., "Quasi-Dense Similarity Learning for Multiple Object Tracking",
    CVPR 2021, section 3.2.
    """

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)

    def extract_bbox_feats(self, x: list[torch.Tensor], bboxes: list[torch.Tensor]) -> torch.Tensor:
        """Embeddings of boxes.

        Args:
            x: Feature maps, each ``(B, C, h, w)``.
            bboxes: Boxes of each image, ``(n, 4)`` or wider, x1y1x2y2 in its pixels first.

        Returns:
            Embeddings of all boxes, ``(N, C)``.
        """
        feats, _ = self.extract_roi_feats(x, bboxes)
        return self.embed_head(feats)

    def forward_train(
        self,
        x: list[torch.Tensor],
        img_metas: list[dict],
        proposal_list: list[torch.Tensor],
        gt_bboxes: list[torch.Tensor],
        gt_labels: list[torch.Tensor],
        gt_match_indices: list[torch.Tensor],
        ref_x: list[torch.Tensor],
        ref_img_metas: list[dict],
        ref_proposals: list[torch.Tensor],
        ref_gt_bboxes: list[torch.Tensor],
        ref_gt_labels: list[torch.Tensor],
        gt_bboxes_ignore: list[torch.Tensor] | None = None,
        gt_masks: list | None = None,
        ref_gt_bboxes_ignore: list[torch.Tensor] | None = None,
        ref_gt_mask: list | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> dict[str, torch.Tensor]:
        """Losses of a batch of pairs of frames.

        Args:
            x: Feature maps of the key frames.
            img_metas: Meta data of the key frames.
            proposal_list: Proposals in each key frame, ``(n, 4)`` or wider, x1y1x2y2 in pixels
                first.
            gt_bboxes: Boxes of the objects of each key frame, ``(g, 4)``.
            gt_labels: Their classes, ``(g,)``.
            gt_match_indices: For each object of each key frame its index among the objects of the
                reference frame, or -1, ``(g,)``.
            ref_x: Feature maps of the reference frames.
            ref_img_metas: Meta data of the reference frames.
            ref_proposals: Proposals in each reference frame.
            ref_gt_bboxes: Boxes of the objects of each reference frame, ``(r, 4)``.
            ref_gt_labels: Their classes, ``(r,)``.
            gt_bboxes_ignore: Boxes in each key frame that are no background.
            gt_masks: Not used.
            ref_gt_bboxes_ignore: Boxes in each reference frame that are no background.
            ref_gt_mask: Not used.
            *args: Not used.
            **kwargs: Not used.

        Returns:
            See :meth:`QuasiDenseEmbedHead.loss`.
        """
        keys = self._sample(x, proposal_list, gt_bboxes, gt_labels, gt_bboxes_ignore)
        refs = self._sample(
            ref_x, ref_proposals, ref_gt_bboxes, ref_gt_labels, ref_gt_bboxes_ignore
        )
        key_embeds = self.extract_bbox_feats(x, [found.pos_bboxes for found in keys])
        ref_embeds = self.extract_bbox_feats(ref_x, [found.bboxes for found in refs])
        dists, cos_dists = self.embed_head.match(key_embeds, ref_embeds, keys, refs)
        targets, weights = self.embed_head.get_targets(gt_match_indices, keys, refs)
        return self.embed_head.loss(dists, cos_dists, targets, weights)
