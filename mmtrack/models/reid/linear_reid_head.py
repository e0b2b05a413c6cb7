"""Head of re-identification models."""

from __future__ import annotations

import torch
from mmcv.runner import BaseModule
from mmdet.models.losses import accuracy
from torch import nn

from ..builder import REID, build_part
from .fc_module import FcModule

DEFAULT_INIT = {"type": "Normal", "layer": "Linear", "mean": 0, "std": 0.01, "bias": 0}


@REID.register_module()
class LinearReIDHead(BaseModule):
    """Fully connected layers to an embedding, and in training a classifier of identities on it.

    Args:
        num_fcs: Number of hidden layers.
        in_channels: Channels of the input.
        fc_channels: Channels of the hidden layers.
        out_channels: Channels of the embedding.
        norm_cfg: Normalisation of the hidden layers.
        act_cfg: Activation of the hidden layers.
        num_classes: Number of identities in training; needed with ``loss``.
        loss: Config of the loss of the classifier.
        loss_pairwise: Config of the loss of the embeddings, for example ``TripletLoss``.
        topk: Accuracies to report.
        init_cfg: Initialisation of the weights.

    Raises:
        ValueError: there is no loss at all, or ``loss`` without ``num_classes``.

    Reference: the head of the ReID model of Bergmann et al., "Tracking without bells and whistles",
    ICCV 2019; the normalisation between embedding and classifier is that of Luo et al., "Bag of
    Tricks and a Strong Baseline for Deep Person Re-Identification", CVPRW 2019, section 3.
    """

    def __init__(
        self,
        num_fcs: int,
        in_channels: int,
        fc_channels: int,
        out_channels: int,
        norm_cfg: dict | None = None,
        act_cfg: dict | None = None,
        num_classes: int | None = None,
        loss: dict | None = None,
        loss_pairwise: dict | None = None,
        topk: int | tuple[int, ...] = (1,),
        init_cfg: dict | list[dict] | None = DEFAULT_INIT,
    ):
        super().__init__(init_cfg)
        if loss is None and loss_pairwise is None:
            raise ValueError("LinearReIDHead needs loss or loss_pairwise")
        if loss is not None and num_classes is None:
            raise ValueError(
                "LinearReIDHead needs num_classes, the number of identities, for its loss"
            )
        self.topk = (topk,) if isinstance(topk, int) else tuple(topk)
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.num_classes = num_classes
        self.loss_cls = None if loss is None else build_part(loss)
        self.loss_triplet = None if loss_pairwise is None else build_part(loss_pairwise)
        widths = [in_channels, *[fc_channels] * num_fcs]
        self.fcs = nn.ModuleList(
            FcModule(a, b, norm_cfg, act_cfg) for a, b in zip(widths, widths[1:], strict=False)
        )
        self.fc_out = nn.Linear(widths[-1], out_channels)
        if self.loss_cls is not None:
            self.bn = nn.BatchNorm1d(out_channels)
            self.classifier = nn.Linear(out_channels, num_classes)

    def forward_train(
        self, x: torch.Tensor | tuple[torch.Tensor, ...]
    ) -> tuple[torch.Tensor] | tuple[torch.Tensor, torch.Tensor]:
        """Embeddings and, if there is a classifier, its scores.

        Args:
            x: Features, ``(N, in_channels)``; of several levels the last counts.

        Returns:
            Embeddings ``(N, out_channels)`` and scores ``(N, num_classes)``.
        """
        feats = self.embed(x)
        if self.loss_cls is None:
            return (feats,)
        return feats, self.classifier(self.bn(feats))

    def embed(self, x: torch.Tensor | tuple[torch.Tensor, ...]) -> torch.Tensor:
        """Embeddings alone, ``(N, out_channels)``."""
        x = x if isinstance(x, torch.Tensor) else x[-1]
        for fc in self.fcs:
            x = fc(x)
        return self.fc_out(x)

    def loss(
        self, gt_label: torch.Tensor, feats: torch.Tensor, cls_score: torch.Tensor | None = None
    ) -> dict:
        """Losses of a batch.

        Args:
            gt_label: Identities, ``(N,)``.
            feats: Embeddings, ``(N, out_channels)``.
            cls_score: Scores of the classifier, ``(N, num_classes)``.

        Returns:
            ``triplet_loss``, ``ce_loss`` and ``accuracy`` (per cent, a dict of ``top-k``), as far
            as there are such losses.
        """
        losses = {}
        if self.loss_triplet is not None:
            losses["triplet_loss"] = self.loss_triplet(feats, gt_label)
        if self.loss_cls is not None:
            losses["ce_loss"] = self.loss_cls(cls_score, gt_label)
            found = accuracy(cls_score, gt_label, self.topk)
            losses["accuracy"] = {
                f"top-{k}": value for k, value in zip(self.topk, found, strict=True)
            }
        return losses
