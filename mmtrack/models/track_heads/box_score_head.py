"""What heads of trackers with a box and a score share: the losses of both."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ..base import FreezableModule
from ..builder import build_part


class BoxScoreHead(FreezableModule):
    """Head with a ``bbox_head`` that finds corners in maps, and perhaps a score.

    Args:
        loss_bbox: Config of the loss of the box as a fraction of the search region.
        loss_iou: Config of the loss of the overlap.
        loss_cls: Config of the loss of the score; None for a head that does not score.
        init_cfg: Initialisation of the weights.
    """

    def __init__(
        self, loss_bbox: dict, loss_iou: dict, loss_cls: dict | None, init_cfg: dict | None = None
    ):
        super().__init__(init_cfg)
        self.loss_bbox = build_part(loss_bbox)
        self.loss_iou = build_part(loss_iou)
        self.loss_cls = None if loss_cls is None else build_part(loss_cls)

    def require_size(self, search: torch.Tensor) -> None:
        """Refuse maps ``(N, C, h, w)`` of a search region that ``bbox_head`` does not work on.

        Raises:
            ValueError: the size differs; the message has both.
        """
        size = tuple(search.shape[-2:])
        if size != (self.bbox_head.feat_size,) * 2:
            raise ValueError(
                f"features of the search region are {size[0]}x{size[1]}, but bbox_head.feat_size "
                f"is {self.bbox_head.feat_size}: it must be search size / stride of the backbone"
            )

    def loss(
        self,
        track_results: dict[str, torch.Tensor],
        gt_bboxes: Sequence[torch.Tensor],
        gt_labels: Sequence[torch.Tensor] | None,
        img_size: tuple[int, int] | None = None,
    ) -> dict[str, torch.Tensor]:
        """Losses of what :meth:`forward` found.

        Args:
            track_results: Output of :meth:`forward` for N samples.
            gt_bboxes: Per sample ``(1, 5)``: number of the frame, x1y1x2y2 in pixels of the
                search region.
            gt_labels: Per sample ``(1, 2)``: number of the frame, and 1 where the search region
                shows the target, else 0. Needed where there are ``pred_logits``.
            img_size: Height and width of the search region. None: the loss of the box is in
                pixels.

        Returns:
            ``loss_iou`` and ``loss_bbox`` where there are boxes, ``loss_cls`` where there are
            scores.

        Raises:
            ValueError: there are scores, but no labels.
        """
        losses = {}
        if "pred_bboxes" in track_results:
            targets = torch.stack([bboxes[0, 1:] for bboxes in gt_bboxes])
            losses.update(self._bbox_losses(track_results["pred_bboxes"], targets, img_size))
        if "pred_logits" in track_results:
            if gt_labels is None:
                raise ValueError(
                    "the score head needs search_gt_labels: set train_cls_head=True in "
                    "TridentSampling, with_label=True in SeqLoadAnnotations and collect gt_labels"
                )
            logits = track_results["pred_logits"].squeeze(-1)
            labels = torch.stack([labels[0, 1] for labels in gt_labels])
            labels = labels[:, None].expand_as(logits)
            losses["loss_cls"] = self.loss_cls(logits.flatten(), labels.flatten())
        return losses

    def _bbox_losses(
        self, bboxes: torch.Tensor, targets: torch.Tensor, img_size: tuple[int, int] | None
    ) -> dict[str, torch.Tensor]:
        """Losses of boxes ``(N, Q, 4)`` for targets ``(N, 4)``."""
        targets = targets.to(bboxes)[:, None].expand_as(bboxes)
        if img_size is not None:
            height, width = img_size
            scale = bboxes.new_tensor([width, height, width, height])
            bboxes, targets = bboxes / scale, targets / scale
        bboxes, targets = bboxes.flatten(0, 1), targets.flatten(0, 1)
        # Corners in the wrong order, as an untrained head predicts them, enclose no area, and
        # their overlap pulls in no sensible direction: the distance alone teaches them.
        proper = (bboxes[:, :2] < bboxes[:, 2:]).all(dim=1).to(bboxes.dtype)
        return {
            "loss_iou": self.loss_iou(bboxes, targets, weight=proper),
            "loss_bbox": self.loss_bbox(bboxes, targets),
        }
