"""Embeddings of boxes that tell instances apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmcv.cnn import ConvModule
from mmcv.runner import BaseModule, force_fp32
from mmdet.models import HEADS
from mmdet.models.builder import build_loss
from mmdet.models.losses import accuracy
from torch import nn
from torch.nn.modules.utils import _pair

from mmtrack.core.track.instance_matching import identity_targets, match_logits


@HEADS.register_module()
class RoIEmbedHead(BaseModule):
    """Convolutions and linear layers that turn the features of boxes into embeddings.

    Args:
        num_convs: Number of convolutions.
        num_fcs: Number of linear layers.
        roi_feat_size: Height and width of the features of a box.
        in_channels: Channels of the features.
        conv_out_channels: Channels after the convolutions.
        with_avg_pool: Take the mean over the places of a box before the linear layers.
        fc_out_channels: Channels after the linear layers.
        conv_cfg: Config of the convolutions.
        norm_cfg: Config of normalisation layers after the convolutions; the linear layers of the
            published models have none.
        loss_match: Config of the loss of identities.
        init_cfg: Initialisation of the weights.
        **kwargs: Ignored, for configs written for other heads.

    Reference: Yang et al., "Video Instance Segmentation", ICCV 2019, section 4.1.
    """

    def __init__(
        self,
        num_convs: int = 0,
        num_fcs: int = 0,
        roi_feat_size: int | tuple[int, int] = 7,
        in_channels: int = 256,
        conv_out_channels: int = 256,
        with_avg_pool: bool = False,
        fc_out_channels: int = 1024,
        conv_cfg: dict | None = None,
        norm_cfg: dict | None = None,
        loss_match: dict = dict(  # noqa: B006 C408 (documented default; never changed)
            type="CrossEntropyLoss", use_sigmoid=False, loss_weight=1.0
        ),
        init_cfg: dict | None = None,
        **kwargs: Any,
    ):
        super().__init__(init_cfg)
        self.num_convs = num_convs
        self.num_fcs = num_fcs
        self.roi_feat_size = _pair(roi_feat_size)
        self.fp16_enabled = False
        self.loss_match = build_loss(loss_match)
        channels = in_channels
        self.convs = nn.ModuleList()
        for _ in range(num_convs):
            self.convs.append(
                ConvModule(
                    channels,
                    conv_out_channels,
                    3,
                    padding=1,
                    conv_cfg=conv_cfg,
                    norm_cfg=norm_cfg,
                )
            )
            channels = conv_out_channels
        self.avg_pool = nn.AdaptiveAvgPool2d(1) if with_avg_pool else None
        if not with_avg_pool:
            channels *= self.roi_feat_size[0] * self.roi_feat_size[1]
        self.fcs = nn.ModuleList()
        for _ in range(num_fcs):
            self.fcs.append(nn.Linear(channels, fc_out_channels))
            channels = fc_out_channels
        self.out_channels = channels

    @property
    def custom_activation(self) -> bool:
        """Whether the loss brings its own activation and accuracy."""
        return getattr(self.loss_match, "custom_activation", False)

    def embed(self, x: torch.Tensor) -> torch.Tensor:
        """Embeddings of boxes.

        Args:
            x: Features, ``(N, C, H, W)``.

        Returns:
            ``(N, fc_out_channels)``, not negative where there are linear layers.
        """
        for conv in self.convs:
            x = conv(x)
        if self.avg_pool is not None:
            x = self.avg_pool(x)
        x = x.flatten(1)
        for linear in self.fcs:
            x = linear(x).relu()
        return x

    def forward(
        self,
        x: torch.Tensor,
        ref_x: torch.Tensor,
        num_x_per_img: Sequence[int],
        num_x_per_ref_img: Sequence[int],
    ) -> list[torch.Tensor]:
        """Compare the boxes of key images with those of their reference images.

        Args:
            x: Features of the boxes of all key images, ``(N, C, H, W)``.
            ref_x: Features of the boxes of all reference images, ``(M, C, H, W)``.
            num_x_per_img: Number of boxes of each key image.
            num_x_per_ref_img: Number of boxes of each reference image.

        Returns:
            Per pair of images ``(n, m + 1)`` logits; column 0 stands for "in no reference box".
        """
        parts = self.embed(x).split(list(num_x_per_img))
        ref_parts = self.embed(ref_x).split(list(num_x_per_ref_img))
        return [match_logits(part, ref) for part, ref in zip(parts, ref_parts, strict=True)]

    def get_targets(
        self,
        sampling_results: list,
        gt_instance_ids: list[torch.Tensor],
        ref_gt_instance_ids: list[torch.Tensor],
    ) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        """Right column of the logits for each sampled box.

        Args:
            sampling_results: Sampled boxes of each key image, mmdet's ``SamplingResult``.
            gt_instance_ids: Identities of the objects of each key image.
            ref_gt_instance_ids: Identities of the objects of each reference image.

        Returns:
            Per image targets ``(n,)`` int64 and weights ``(n,)``: 1 for boxes on an object and 0
            for background, which has no identity.
        """
        targets, weights = [], []
        for sampled, ids, ref_ids in zip(
            sampling_results, gt_instance_ids, ref_gt_instance_ids, strict=True
        ):
            count, num_pos = len(sampled.bboxes), len(sampled.pos_bboxes)
            target = ids.new_zeros(count, dtype=torch.int64)
            weight = sampled.bboxes.new_zeros(count)
            target[:num_pos] = identity_targets(ids[sampled.pos_assigned_gt_inds], ref_ids)
            weight[:num_pos] = 1
            targets.append(target)
            weights.append(weight)
        return targets, weights

    @force_fp32(apply_to=("similarity_logits",))
    def loss(
        self,
        similarity_logits: list[torch.Tensor],
        track_id_targets: list[torch.Tensor],
        track_id_weights: list[torch.Tensor],
        reduction_override: str | None = None,
    ) -> dict[str, torch.Tensor]:
        """Loss of the identities, the mean over the images.

        Args:
            similarity_logits: Per image ``(n, m + 1)``.
            track_id_targets: Per image ``(n,)``.
            track_id_weights: Per image ``(n,)``; boxes with weight 0 do not count.
            reduction_override: ``'none'``, ``'mean'`` or ``'sum'`` instead of that of the loss.

        Returns:
            ``loss_match`` and ``match_accuracy`` (percent), or what a loss with an activation of
            its own reports.
        """
        parts = [
            self._loss_of_image(*part, reduction_override)
            for part in zip(similarity_logits, track_id_targets, track_id_weights, strict=True)
        ]
        return {name: sum(part[name] for part in parts) / len(parts) for name in parts[0]}

    def _loss_of_image(
        self,
        logits: torch.Tensor,
        targets: torch.Tensor,
        weights: torch.Tensor,
        reduction_override: str | None,
    ) -> dict[str, torch.Tensor]:
        counts = weights > 0
        # the boxes that have a partner, not all that count: as the published models were trained
        avg_factor = (targets > 0).sum().clamp(min=1).to(logits)
        loss = self.loss_match(
            logits,
            targets,
            weights,
            avg_factor=None if reduction_override in ("none", "sum") else avg_factor,
            reduction_override=reduction_override,
        )
        losses = dict(loss) if isinstance(loss, dict) else {"loss_match": loss}
        if self.custom_activation:
            losses.update(self.loss_match.get_accuracy(logits[counts], targets[counts]))
        else:
            losses["match_accuracy"] = accuracy(logits[counts], targets[counts])
        return losses
