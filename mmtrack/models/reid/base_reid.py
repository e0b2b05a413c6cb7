"""Re-identification models."""

from __future__ import annotations

import warnings
from typing import Any

import torch

from ..base import BaseVideoModel
from ..builder import REID, build_part


@REID.register_module()
class BaseReID(BaseVideoModel):
    """Backbone, neck and head that turn crops of objects into embeddings.

    Args:
        backbone: Config of the backbone, any of mmdet's.
        neck: Config of the neck, for example ``GlobalAveragePooling``.
        head: Config of the head, for example ``LinearReIDHead``.
        pretrained: Deprecated: checkpoint of the whole model. Use ``init_cfg``.
        train_cfg: Accepted for configs that have it; nothing here reads it.
        init_cfg: Initialisation of the weights.
    """

    def __init__(
        self,
        backbone: dict,
        neck: dict | None = None,
        head: dict | None = None,
        pretrained: str | None = None,
        train_cfg: dict | None = None,
        init_cfg: dict | None = None,
    ):
        if pretrained is not None:
            warnings.warn(
                "pretrained is deprecated, use init_cfg", DeprecationWarning, stacklevel=2
            )
            init_cfg = {"type": "Pretrained", "checkpoint": pretrained}
        super().__init__(init_cfg)
        self.train_cfg = train_cfg
        self.backbone = build_part(backbone)
        if "norm_eval" not in backbone and hasattr(self.backbone, "norm_eval"):
            # Detectors keep BatchNorm fixed because their batches are small. A batch of crops is
            # large: as in classification, its statistics are learnt unless the config says no.
            self.backbone.norm_eval = False
        if neck is not None:
            self.neck = build_part(neck)
        if head is not None:
            self.head = build_part(head)

    @property
    def with_neck(self) -> bool:
        """Whether there is a neck."""
        return self.has_part("neck")

    @property
    def with_head(self) -> bool:
        """Whether there is a head."""
        return self.has_part("head")

    def extract_feat(self, img: torch.Tensor) -> torch.Tensor | tuple[torch.Tensor, ...]:
        """Features of crops ``(N, 3, H, W)`` behind backbone and neck."""
        x = self.backbone(img)
        return self.neck(x) if self.with_neck else x

    def forward(self, img: torch.Tensor, return_loss: bool = True, **kwargs: Any) -> Any:
        """Losses (``return_loss=True``) or embeddings."""
        if return_loss:
            return self.forward_train(img, **kwargs)
        # the test pipelines of detectors put a list around the image
        img = img[0] if isinstance(img, list | tuple) else img
        return self.simple_test(img, **kwargs)

    def forward_train(self, img: torch.Tensor, gt_label: torch.Tensor, **kwargs: Any) -> dict:
        """Losses of a batch.

        Args:
            img: Crops, ``(N, 3, H, W)``, or several per sample, ``(B, K, 3, H, W)``.
            gt_label: Their identities, ``(N,)`` or ``(B, K)``.
            **kwargs: Accepted for data with more entries.
        """
        img = img.flatten(0, 1) if img.dim() == 5 else img
        outputs = self.head.forward_train(self.extract_feat(img))
        return self.head.loss(gt_label.flatten(), *outputs)

    def simple_test(self, img: torch.Tensor, **kwargs: Any) -> torch.Tensor:
        """Embeddings ``(N, C)`` of crops ``(N, 3, H, W)``; no crops give ``(0, C)``."""
        if img.numel() == 0:
            return img.new_zeros(0, self.head.out_channels)
        return self.head.forward_train(self.extract_feat(img))[0]
