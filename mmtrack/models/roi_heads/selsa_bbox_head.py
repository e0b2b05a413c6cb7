"""Box head whose features of proposals draw on proposals of other frames."""

from __future__ import annotations

import torch
from mmdet.models.builder import HEADS
from mmdet.models.roi_heads.bbox_heads import ConvFCBBoxHead
from torch import nn

from ..aggregators.selsa_aggregator import EncodedReferences
from ..builder import build_aggregator


@HEADS.register_module()
class SelsaBBoxHead(ConvFCBBoxHead):
    """Classify and refine proposals, with an aggregator after every shared linear layer.

    Args:
        aggregator: Config of the aggregator; each shared linear layer gets one of its own.
        *args: For mmdet's ``ConvFCBBoxHead``.
        **kwargs: For mmdet's ``ConvFCBBoxHead``.

    Reference: Wu et al., "Sequence Level Semantics Aggregation for Video Object Detection",
    ICCV 2019, figure 2.
    """

    def __init__(self, aggregator: dict, *args: object, **kwargs: object):
        super().__init__(*args, **kwargs)
        if not self.num_shared_fcs:
            raise ValueError("SelsaBBoxHead needs num_shared_fcs of at least 1")
        self.aggregator = nn.ModuleList(
            build_aggregator(aggregator) for _ in range(self.num_shared_fcs)
        )

    def encode_references(self, ref_x: torch.Tensor) -> list[EncodedReferences | torch.Tensor]:
        """What the aggregators need of the references; it does not depend on the key frame.

        Args:
            ref_x: Features of proposals of references, ``(M, C, h, w)``.

        Returns:
            One entry per aggregator: what its ``encode`` returns, or ``(M, C)`` if it has none.
        """
        ref_x = self._flatten(ref_x)
        encoded = []
        for fc, aggregator in zip(self.shared_fcs, self.aggregator, strict=True):
            ref_x = fc(ref_x)
            # aggregators of users may have no such step
            encode = getattr(aggregator, "encode", None)
            encoded.append(ref_x if encode is None else encode(ref_x))
            ref_x = ref_x.relu()  # not in place: the gradient of encode needs its input
        return encoded

    def forward(
        self, x: torch.Tensor, ref_x: torch.Tensor | list[EncodedReferences | torch.Tensor]
    ) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        """Scores and refinements of proposals.

        Args:
            x: Features of proposals of the key frame, ``(N, C, h, w)``.
            ref_x: Features of proposals of references, ``(M, C, h, w)``, or what
                :meth:`encode_references` made of them.

        Returns:
            Scores of classes ``(N, num_classes + 1)`` and refinements ``(N, 4)`` or
            ``(N, 4 * num_classes)``.
        """
        encoded = ref_x if isinstance(ref_x, list) else self.encode_references(ref_x)
        x = self._flatten(x)
        for fc, aggregator, references in zip(
            self.shared_fcs, self.aggregator, encoded, strict=True
        ):
            x = fc(x)
            x = self.relu(x + aggregator(x, references))
        return self._predict(x)

    def _flatten(self, x: torch.Tensor) -> torch.Tensor:
        """Vectors of proposals."""
        for conv in self.shared_convs:
            x = conv(x)
        if self.with_avg_pool:
            x = self.avg_pool(x)
        return x.flatten(1)

    def _predict(self, x: torch.Tensor) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        x_cls = x_reg = x
        for fc in self.cls_fcs:
            x_cls = self.relu(fc(x_cls))
        for fc in self.reg_fcs:
            x_reg = self.relu(fc(x_reg))
        scores = self.fc_cls(x_cls) if self.with_cls else None
        return scores, self.fc_reg(x_reg) if self.with_reg else None
