"""Embeddings that are learnt from many boxes around each object."""

from __future__ import annotations

from typing import Any

import torch
from mmcv.runner import force_fp32
from mmdet.models import HEADS
from mmdet.models.builder import build_loss
from torch import nn

from mmtrack.core.track import embed_similarity

from .roi_embed_head import RoIEmbedHead

# Arguments of L2Loss by the names that the documented default of loss_track_aux has for them.
OLD_L2_NAMES = {"sample_ratio": "neg_pos_ub", "margin": "neg_margin"}


@HEADS.register_module()
class QuasiDenseEmbedHead(RoIEmbedHead):
    """Embeddings of boxes, compared between all boxes of two frames.

    Args:
        embed_channels: Channels of the embeddings.
        softmax_temp: Dot products are divided by it when it is positive.
        loss_track: Config of the loss of the dot products.
        loss_track_aux: Config of the loss of the cosines; None for none.
        init_cfg: Initialisation of the weights.
        *args: Of :class:`RoIEmbedHead`.
        **kwargs: Of :class:`RoIEmbedHead`.

    Reference: Pang et al., "Quasi-Dense Similarity Learning for Multiple Object Tracking",
    CVPR 2021, section 3.2.
    """

    def __init__(
        self,
        embed_channels: int = 256,
        softmax_temp: float = -1,
        loss_track: dict = dict(  # noqa: B006 C408 (documented default; never changed)
            type="MultiPosCrossEntropyLoss", loss_weight=0.25
        ),
        loss_track_aux: dict | None = dict(  # noqa: B006 C408 (as above)
            type="L2Loss", sample_ratio=3, margin=0.3, loss_weight=1.0, hard_mining=True
        ),
        init_cfg: dict | None = dict(  # noqa: B006 C408 (as above)
            type="Xavier",
            layer="Linear",
            distribution="uniform",
            bias=0,
            override=dict(type="Normal", name="fc_embed", mean=0, std=0.01, bias=0),  # noqa: C408
        ),
        *args: Any,
        **kwargs: Any,
    ):
        super().__init__(*args, init_cfg=init_cfg, **kwargs)
        self.fc_embed = nn.Linear(self.out_channels, embed_channels)
        self.softmax_temp = softmax_temp
        self.loss_track = build_loss(loss_track)
        self.loss_track_aux = None
        if loss_track_aux is not None:
            names = OLD_L2_NAMES if loss_track_aux["type"] == "L2Loss" else {}
            self.loss_track_aux = build_loss(
                {names.get(key, key): value for key, value in loss_track_aux.items()}
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Embeddings of boxes.

        Args:
            x: Features, ``(N, C, H, W)``.

        Returns:
            ``(N, embed_channels)``.
        """
        x = self.embed(x)
        return self.fc_embed(x.relu() if self.num_fcs else x)

    def match(
        self,
        key_embeds: torch.Tensor,
        ref_embeds: torch.Tensor,
        key_sampling_results: list,
        ref_sampling_results: list,
    ) -> tuple[list[torch.Tensor], list[torch.Tensor | None]]:
        """Compare the boxes of each key frame with those of its reference frame.

        Args:
            key_embeds: Of the boxes on objects of all key frames, ``(N, C)``.
            ref_embeds: Of all boxes of all reference frames, ``(M, C)``.
            key_sampling_results: Sampled boxes of each key frame, mmdet's ``SamplingResult``.
            ref_sampling_results: Sampled boxes of each reference frame.

        Returns:
            Per pair of frames, dot products ``(n, m)``, and cosines ``(n, m)``, or None without an
            auxiliary loss.
        """
        keys = key_embeds.split([len(found.pos_bboxes) for found in key_sampling_results])
        refs = ref_embeds.split([len(found.bboxes) for found in ref_sampling_results])
        dists, cos_dists = [], []
        for key, ref in zip(keys, refs, strict=True):
            dists.append(embed_similarity(key, ref, temperature=self.softmax_temp))
            with_cosines = self.loss_track_aux is not None
            cos_dists.append(embed_similarity(key, ref, method="cosine") if with_cosines else None)
        return dists, cos_dists

    def get_targets(
        self,
        gt_match_indices: list[torch.Tensor],
        key_sampling_results: list,
        ref_sampling_results: list,
    ) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        """Which boxes of the two frames are on the same object.

        Args:
            gt_match_indices: For each object of each key frame its index among the objects of the
                reference frame, or -1, ``(g,)``.
            key_sampling_results: Sampled boxes of each key frame, mmdet's ``SamplingResult``.
            ref_sampling_results: Sampled boxes of each reference frame.

        Returns:
            Per pair of frames, targets ``(n, m)``, 1 for the same object and 0 otherwise, and
            weights ``(n,)``, 1 for boxes whose object is on a box of the reference frame.
        """
        targets, weights = [], []
        for match, key, ref in zip(
            gt_match_indices, key_sampling_results, ref_sampling_results, strict=True
        ):
            wanted = match[key.pos_assigned_gt_inds]
            target = wanted.new_zeros((len(key.pos_bboxes), len(ref.bboxes)), dtype=torch.int64)
            same = wanted[:, None] == ref.pos_assigned_gt_inds[None]
            target[:, : len(ref.pos_bboxes)] = same
            targets.append(target)
            weights.append(target.any(dim=1).to(key.bboxes))
        return targets, weights

    @force_fp32(apply_to=("dists", "cos_dists"))
    def loss(
        self,
        dists: list[torch.Tensor],
        cos_dists: list[torch.Tensor | None],
        targets: list[torch.Tensor],
        weights: list[torch.Tensor],
    ) -> dict[str, torch.Tensor]:
        """Losses of a batch of pairs of frames, the mean over the pairs.

        Args:
            dists: Dot products of each pair, ``(n, m)``.
            cos_dists: Cosines of each pair, ``(n, m)``, or None.
            targets: See :meth:`get_targets`.
            weights: See :meth:`get_targets`.

        Returns:
            ``loss_track`` and, with an auxiliary loss, ``loss_track_aux``.
        """
        pairs = list(zip(dists, cos_dists, targets, weights, strict=True))
        track = [
            self.loss_track(dist, target, weight, avg_factor=weight.sum())
            for dist, _, target, weight in pairs
        ]
        losses = {"loss_track": sum(track) / len(track)}
        if self.loss_track_aux is not None:
            aux = [self.loss_track_aux(cosine, target) for _, cosine, target, _ in pairs]
            losses["loss_track_aux"] = sum(aux) / len(aux)
        return losses
