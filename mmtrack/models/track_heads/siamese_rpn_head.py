"""Head of SiameseRPN++: classification and regression of anchors by correlation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from mmcv.runner import BaseModule, force_fp32
from mmdet.core import build_assigner, build_bbox_coder, build_sampler
from mmdet.core.anchor import build_prior_generator
from mmdet.core.bbox.transforms import bbox_xyxy_to_cxcywh
from mmdet.models.builder import HEADS, build_loss
from torch import nn

from ...core.anchor import SiameseRPNAnchorGenerator  # noqa: F401  (configs name it)
from ...core.track.proposal_selection import select_proposal
from .correlation_head import CorrelationHead

BACKGROUND, OBJECT = 0, 1
NEAR = 3  # places in each direction


class TemplateKernels(NamedTuple):
    """What the head computes from a template once: kernels of each level, ``(N, C, H, W)``."""

    cls: tuple[torch.Tensor, ...]
    reg: tuple[torch.Tensor, ...]


class TrackSettings(NamedTuple):
    """How a box is chosen and changed: numbers, or tensors with one value per object.

    Attributes:
        penalty_k: How strongly changes of size and shape are punished.
        window_influence: Preference of places near the last one, within [0, 1].
        lr: How fast the size follows the chosen proposal.
    """

    penalty_k: float | torch.Tensor
    window_influence: float | torch.Tensor
    lr: float | torch.Tensor


class Places(NamedTuple):
    """Anchors of a feature map and their windows.

    Attributes:
        anchors: ``(H * W * A, 4)``, x1y1x2y2 in pixels of the search image, relative to its centre.
        window: ``(H * W * A,)``.
    """

    anchors: torch.Tensor
    window: torch.Tensor


@HEADS.register_module()
class SiameseRPNHead(BaseModule):
    """Head of SiameseRPN++.

    Args:
        anchor_generator: Config of the anchors.
        in_channels: Channels of each feature level.
        kernel_size: Of the convolutions before the correlation.
        norm_cfg: Kind of norms.
        weighted_sum: Sum up the levels with learnt weights instead of averaging them.
        bbox_coder: Config of the coding of boxes relative to anchors.
        loss_cls: Config of the classification loss.
        loss_bbox: Config of the regression loss.
        train_cfg: Settings for training: ``assigner``, ``sampler``, ``num_neg`` and
            ``search_size``.
        test_cfg: Settings for tests: ``penalty_k``, ``window_influence`` and ``lr``. They may be
            changed between frames.
        init_cfg: Initialisation of the weights.
        *args: Accepted for configs written for other heads.
        **kwargs: Accepted for configs written for other heads.

    Reference: Li et al., "SiamRPN++: Evolution of Siamese Visual Tracking with Very Deep Networks",
    CVPR 2019, sections 3.3 and 3.4.
    """

    def __init__(
        self,
        anchor_generator: dict,
        in_channels: list[int],
        kernel_size: int = 3,
        norm_cfg: dict | None = {"type": "BN"},  # noqa: B006 (documented; never changed)
        weighted_sum: bool = False,
        bbox_coder: dict = {  # noqa: B006
            "type": "DeltaXYWHBBoxCoder",
            "target_means": [0.0, 0.0, 0.0, 0.0],
            "target_stds": [1.0, 1.0, 1.0, 1.0],
        },
        loss_cls: dict = {  # noqa: B006
            "type": "CrossEntropyLoss",
            "reduction": "sum",
            "loss_weight": 1.0,
        },
        loss_bbox: dict = {"type": "L1Loss", "reduction": "sum", "loss_weight": 1.2},  # noqa: B006
        train_cfg: dict | None = None,
        test_cfg: dict | None = None,
        init_cfg: dict | list[dict] | None = None,
        *args: Any,
        **kwargs: Any,
    ):
        super().__init__(init_cfg)
        self.anchor_generator = build_prior_generator(anchor_generator)
        self.bbox_coder = build_bbox_coder(bbox_coder)
        self.train_cfg = train_cfg
        self.test_cfg = test_cfg
        self.fp16_enabled = False
        if train_cfg is not None:
            self.assigner = build_assigner(train_cfg["assigner"])
            self.sampler = build_sampler(train_cfg["sampler"])
        self.num_anchors = self.anchor_generator.num_base_priors[0]
        self.cls_heads, self.reg_heads = (
            nn.ModuleList(
                CorrelationHead(
                    channels, channels, numbers * self.num_anchors, kernel_size, norm_cfg
                )
                for channels in in_channels
            )
            for numbers in (2, 4)
        )
        self.weighted_sum = weighted_sum
        if weighted_sum:
            self.cls_weight = nn.Parameter(torch.ones(len(in_channels)))
            self.reg_weight = nn.Parameter(torch.ones(len(in_channels)))
        self.loss_cls = build_loss(loss_cls)
        self.loss_bbox = build_loss(loss_bbox)
        # by size of the feature map and device; no weights, so not part of the state dict
        self._places: dict[tuple[int, int, torch.device], Places] = {}

    def encode_template(self, z_feats: tuple[torch.Tensor, ...]) -> TemplateKernels:
        """Do the part of :meth:`forward` that depends on the template only.

        Args:
            z_feats: Per level ``(N, C, H, W)``.
        """
        return TemplateKernels(
            *(
                tuple(head.kernel_convs(z) for head, z in zip(heads, z_feats, strict=True))
                for heads in (self.cls_heads, self.reg_heads)
            )
        )

    def forward(
        self,
        z_feats: tuple[torch.Tensor, ...] | TemplateKernels,
        x_feats: tuple[torch.Tensor, ...],
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Scores and boxes of all anchors.

        Args:
            z_feats: Template features, per level ``(N, C, H, W)``, typically 7 x 7; or what
                :meth:`encode_template` made of them.
            x_feats: Search features, per level ``(N, C, H, W)``, typically 31 x 31.

        Returns:
            ``(N, 2 * A, H, W)`` and ``(N, 4 * A, H, W)``, typically 25 x 25.
        """
        kernels = z_feats if isinstance(z_feats, TemplateKernels) else self.encode_template(z_feats)
        maps = []
        for heads, level_kernels, name in (
            (self.cls_heads, kernels.cls, "cls_weight"),
            (self.reg_heads, kernels.reg, "reg_weight"),
        ):
            levels = zip(heads, level_kernels, x_feats, strict=True)
            outs = torch.stack([head.correlate(z, x) for head, z, x in levels])
            if self.weighted_sum:
                weights = torch.softmax(getattr(self, name), dim=0)
                maps.append(torch.einsum("l,lnchw->nchw", weights.to(outs.dtype), outs))
            else:
                maps.append(outs.mean(dim=0))
        return maps[0], maps[1]

    def places(self, size: tuple[int, int], device: torch.device) -> Places:
        """Anchors and windows of a feature map, computed once.

        Args:
            size: Height and width of the feature map.
            device: Where they are.
        """
        key = (*size, torch.device(device))
        if key not in self._places:
            anchors = self.anchor_generator.grid_priors([size], device=device)[0]
            # the feature map lies in the middle of the search image
            corners = torch.stack([anchors[0], anchors[-1]]).view(4, 2)
            middle = corners.mean(dim=0)
            self._places[key] = Places(
                anchors=anchors - middle.repeat(2),
                window=self.anchor_generator.gen_2d_hanning_windows([size], device=device)[0],
            )
        return self._places[key]

    def get_bbox(
        self,
        cls_score: torch.Tensor,
        bbox_pred: torch.Tensor,
        prev_bbox: torch.Tensor,
        scale_factor: torch.Tensor | float,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Box of the object in the current frame; nothing is read back from the device.

        Args:
            cls_score: ``(1, 2 * A, H, W)``.
            bbox_pred: ``(1, 4 * A, H, W)``.
            prev_bbox: ``(4,)``, centre x, centre y, width, height in the last frame, in pixels.
            scale_factor: Pixels of the search image per pixel of the frame.

        Returns:
            Score without dimensions, and ``(4,)``, centre x, centre y, width, height in pixels of
            the frame.
        """
        # values without dimensions, so that the box may stay in main memory
        prev, settings = prev_bbox.unbind(), [self.test_cfg[key] for key in TrackSettings._fields]
        score, bbox = self._choose(
            cls_score, bbox_pred, prev, scale_factor, TrackSettings(*settings)
        )
        return score[0], bbox[0]

    def get_bboxes(
        self,
        cls_score: torch.Tensor,
        bbox_pred: torch.Tensor,
        prev_bboxes: torch.Tensor,
        scale_factors: torch.Tensor,
        settings: TrackSettings,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Boxes of several objects, or of one object that is followed with several settings.

        Args:
            cls_score: ``(N, 2 * A, H, W)``.
            bbox_pred: ``(N, 4 * A, H, W)``.
            prev_bboxes: ``(N, 4)``, as in :meth:`get_bbox`, on the device of the scores.
            scale_factors: ``(N,)``, pixels of the search images per pixel of the frame.
            settings: In place of ``test_cfg``, tensors ``(N,)``.

        Returns:
            Scores ``(N,)`` and boxes ``(N, 4)``.
        """
        columns = prev_bboxes[:, None].unbind(-1)
        settings = TrackSettings(*(values[:, None] for values in settings))
        return self._choose(cls_score, bbox_pred, columns, scale_factors[:, None], settings)

    def _choose(
        self,
        cls_score: torch.Tensor,
        bbox_pred: torch.Tensor,
        prev: Sequence[torch.Tensor],
        scale_factor: torch.Tensor | float,
        settings: TrackSettings,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Scores ``(N,)`` and boxes ``(N, 4)``; all other values without dimensions or (N, 1)."""
        places = self.places(tuple(cls_score.shape[-2:]), cls_score.device)
        scores = per_anchor(cls_score.float(), 2).softmax(dim=-1)[..., OBJECT]
        deltas = per_anchor(bbox_pred.float(), 4)
        anchors = places.anchors.repeat(len(deltas), 1)
        bboxes = bbox_xyxy_to_cxcywh(self.bbox_coder.decode(anchors, deltas.flatten(0, 1)))
        bboxes = bboxes.view_as(deltas)
        best = select_proposal(
            scores,
            bboxes[..., 2:],
            (prev[2] * scale_factor, prev[3] * scale_factor),
            places.window,
            penalty_k=settings.penalty_k,
            window_influence=settings.window_influence,
        )
        index = best.index[..., None].expand(-1, -1, 4)
        found = (bboxes.gather(1, index) / _per_box(scale_factor)).unbind(-1)
        rate = best.penalty * best.score * settings.lr
        best_bboxes = torch.stack(
            [
                found[0] + prev[0],
                found[1] + prev[1],
                prev[2] * (1 - rate) + found[2] * rate,
                prev[3] * (1 - rate) + found[3] * rate,
            ],
            dim=-1,
        )
        return best.score[:, 0], best_bboxes[:, 0]

    def get_targets(
        self,
        gt_bboxes: list[torch.Tensor],
        score_maps_size: tuple[int, int],
        is_positive_pairs: list[bool],
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Targets of all anchors.

        Args:
            gt_bboxes: Per sample ``(1, 5)``: 0, x1, y1, x2, y2 in pixels of the search image.
            score_maps_size: Height and width ``H, W`` of the feature map.
            is_positive_pairs: Whether the box is the object of the template.

        Returns:
            Labels and their weights, ``(N, H * W * A)``; box targets and their weights,
            ``(N, H * W * A, 4)``. The weights of the batch include the division by ``N``.
        """
        samples = [
            self._positive_targets(gt[:, 1:], score_maps_size)
            if positive
            else self._negative_targets(gt[:, 1:], score_maps_size)
            for gt, positive in zip(gt_bboxes, is_positive_pairs, strict=True)
        ]
        labels, label_weights, bbox_targets, bbox_weights = map(
            torch.stack, zip(*samples, strict=True)
        )
        count = len(samples)
        return labels, label_weights / count, bbox_targets, bbox_weights / count

    def _search_anchors(self, size: tuple[int, int], device: torch.device) -> torch.Tensor:
        """Anchors ``(H * W * A, 4)`` in pixels of the search image."""
        return self.places(size, device).anchors + self.train_cfg["search_size"] // 2

    def _empty_targets(self, anchors: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Targets of a sample in which no anchor counts."""
        return (
            anchors.new_full((len(anchors),), BACKGROUND, dtype=torch.long),
            anchors.new_zeros(len(anchors)),
            torch.zeros_like(anchors),
            torch.zeros_like(anchors),
        )

    def _positive_targets(
        self, gt_bbox: torch.Tensor, size: tuple[int, int]
    ) -> tuple[torch.Tensor, ...]:
        """Targets where the template's object is in the search image.

        Objects and background have half of the weight each, however many anchors they have.
        """
        anchors = self._search_anchors(size, gt_bbox.device)
        labels, label_weights, bbox_targets, bbox_weights = self._empty_targets(anchors)
        assigned = self.assigner.assign(anchors, gt_bbox)
        sampled = self.sampler.sample(assigned, anchors, gt_bbox)
        pos, neg = sampled.pos_inds, sampled.neg_inds
        if len(pos):
            labels[pos] = OBJECT
            label_weights[pos] = 0.5 / len(pos)
            bbox_targets[pos] = self.bbox_coder.encode(anchors[pos], sampled.pos_gt_bboxes)
            bbox_weights[pos] = 1 / len(pos)
        if len(neg):
            label_weights[neg] = 0.5 / len(neg)
        return labels, label_weights, bbox_targets, bbox_weights

    def _negative_targets(
        self, gt_bbox: torch.Tensor, size: tuple[int, int]
    ) -> tuple[torch.Tensor, ...]:
        """Targets where another object is in the search image.

        Its surroundings are the hard part of the background: some anchors near its middle have
        half of the weight of a sample, the others none.
        """
        anchors = self._search_anchors(size, gt_bbox.device)
        labels, label_weights, bbox_targets, bbox_weights = self._empty_targets(anchors)
        near = self._anchors_near(gt_bbox[0], size)
        chosen = near[torch.randperm(len(near), device=near.device)[: self.train_cfg["num_neg"]]]
        label_weights[chosen] = 0.5 / len(chosen)
        return labels, label_weights, bbox_targets, bbox_weights

    def _anchors_near(self, gt_bbox: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
        """Indices of the anchors in the 7 x 7 places around the middle of a box."""
        height, width = size
        middle = (gt_bbox[:2] + gt_bbox[2:]) / 2 - self.train_cfg["search_size"] // 2
        strides = middle.new_tensor(self.anchor_generator.strides[0])
        shift_x, shift_y = torch.ceil(middle / strides + 0.5).long().tolist()
        rows = _around(height // 2 + shift_y, height)
        cols = _around(width // 2 + shift_x, width)
        places = torch.arange(height * width * self.num_anchors, device=gt_bbox.device)
        return places.view(height, width, -1)[rows, cols].reshape(-1)

    @force_fp32(apply_to=("cls_score", "bbox_pred"))
    def loss(
        self,
        cls_score: torch.Tensor,
        bbox_pred: torch.Tensor,
        labels: torch.Tensor,
        labels_weights: torch.Tensor,
        bbox_targets: torch.Tensor,
        bbox_weights: torch.Tensor,
    ) -> dict[str, torch.Tensor]:
        """Losses of a batch.

        Args:
            cls_score: ``(N, 2 * A, H, W)``.
            bbox_pred: ``(N, 4 * A, H, W)``.
            labels: ``(N, H * W * A)``, 1 for the object, 0 for background.
            labels_weights: ``(N, H * W * A)``.
            bbox_targets: ``(N, H * W * A, 4)``.
            bbox_weights: ``(N, H * W * A, 4)``.

        Returns:
            ``loss_rpn_cls`` and ``loss_rpn_bbox``.
        """
        scores = per_anchor(cls_score, 2).flatten(0, 1)
        deltas = per_anchor(bbox_pred, 4).flatten(0, 1)
        loss_cls = self.loss_cls(scores, labels.flatten(), labels_weights.flatten())
        loss_bbox = self.loss_bbox(deltas, bbox_targets.flatten(0, 1), bbox_weights.flatten(0, 1))
        return {"loss_rpn_cls": loss_cls, "loss_rpn_bbox": loss_bbox}


def per_anchor(maps: torch.Tensor, numbers: int) -> torch.Tensor:
    """Feature maps as rows of anchors, in the order of the anchor generator.

    Args:
        maps: ``(N, numbers * A, H, W)``; the channels are ordered by number, then anchor.
        numbers: Numbers per anchor.

    Returns:
        ``(N, H * W * A, numbers)``.
    """
    samples, _, height, width = maps.shape
    rows = maps.reshape(samples, numbers, -1, height, width).permute(0, 3, 4, 2, 1)
    return rows.reshape(samples, -1, numbers)


def _per_box(scale_factor: torch.Tensor | float) -> torch.Tensor | float:
    """Factors ``(N, 1)`` as factors of boxes ``(N, 1, 4)``; a number stays one."""
    return scale_factor[..., None] if isinstance(scale_factor, torch.Tensor) else scale_factor


def _around(index: int, length: int) -> slice:
    """Seven places around one, as far as they are inside the feature map."""
    index = min(max(index, 0), length - 1)
    return slice(max(index - NEAR, 0), index + NEAR + 1)
