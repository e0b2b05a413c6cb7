"""Head of STARK: transformer, box and score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmcv.cnn.bricks.transformer import build_positional_encoding
from mmdet.models.utils import build_transformer
from torch import nn

from ..builder import MODELS, build_part
from .box_score_head import BoxScoreHead

# ``num_query`` is spelled so in the published configs
QUERY_ALIAS = "num_querys"


@MODELS.register_module()
class StarkHead(BoxScoreHead):
    """Box of the target in a search region, and how sure it is that the target is there.

    Training has two stages. In the first there is no ``cls_head``, and everything learns to find
    the box. In the second ``frozen_modules`` keeps what has been learnt, and only the score
    learns, with search regions that do not show the target among them.

    Args:
        num_query: Number of queries of the decoder.
        transformer: Config of the transformer.
        positional_encoding: Config of the encoding of positions; twice its ``num_feats`` are the
            channels of the transformer.
        bbox_head: Config of the head that finds the box, see :class:`CornerPredictorHead`.
        cls_head: Config of the head that scores, see :class:`ScoreHead`; None in the first stage.
        loss_cls: Config of the loss of the score.
        loss_bbox: Config of the loss of the box as a fraction of the search region.
        loss_iou: Config of the loss of the overlap.
        train_cfg: Settings of the training, kept for custom heads.
        test_cfg: Settings of the test, kept for custom heads.
        init_cfg: Initialisation of the weights.
        frozen_modules: Parts of the head that do not learn.
        **kwargs: ``num_querys``, another spelling of ``num_query``.

    Raises:
        TypeError: an unknown argument.

    Reference: Yan et al., "Learning Spatio-Temporal Transformer for Visual Tracking", ICCV 2021,
    sections 3.2 and 3.3.
    """

    def __init__(
        self,
        num_query: int = 1,
        transformer: dict | None = None,
        positional_encoding: dict = {  # noqa: B006 - read only, the documented default
            "type": "SinePositionalEncoding",
            "num_feats": 128,
            "normalize": True,
        },
        bbox_head: dict | None = None,
        cls_head: dict | None = None,
        loss_cls: dict = {  # noqa: B006
            "type": "CrossEntropyLoss",
            "use_sigmoid": False,
            "loss_weight": 1.0,
        },
        loss_bbox: dict = {"type": "L1Loss", "loss_weight": 5.0},  # noqa: B006
        loss_iou: dict = {"type": "GIoULoss", "loss_weight": 2.0},  # noqa: B006
        train_cfg: dict | None = None,
        test_cfg: dict | None = None,
        init_cfg: dict | None = None,
        frozen_modules: str | list[str] | tuple[str, ...] | None = None,
        **kwargs: Any,
    ):
        super().__init__(loss_bbox, loss_iou, None if cls_head is None else loss_cls, init_cfg)
        num_query = kwargs.pop(QUERY_ALIAS, num_query)
        if kwargs:
            raise TypeError(f"StarkHead has no arguments {', '.join(sorted(kwargs))}")
        self.train_cfg = train_cfg
        self.test_cfg = test_cfg
        self.transformer = build_transformer(transformer)
        self.positional_encoding = build_positional_encoding(positional_encoding)
        self.bbox_head = build_part(bbox_head)
        self.cls_head = None if cls_head is None else build_part(cls_head)
        self.embed_dims = self.transformer.embed_dims
        self.num_query = num_query
        self.query_embedding = nn.Embedding(num_query, self.embed_dims)
        if frozen_modules is not None:
            self.freeze_module(frozen_modules)

    def forward(self, inputs: Sequence[dict]) -> dict[str, torch.Tensor]:
        """Look for the target of the templates in the search region.

        In training mode only what something can be learnt from is computed: no boxes where
        ``bbox_head`` is frozen.

        Args:
            inputs: Templates first, the search region last; each a dict of ``feat``, a tuple
                whose first tensor is ``(N, C, h, w)``, and ``mask``, ``(N, H, W)`` in pixels of
                the image, true for padding.

        Returns:
            ``pred_bboxes``, ``(N, num_query, 4)``, x1y1x2y2 in pixels of the search region, and
            with a ``cls_head`` ``pred_logits``, ``(N, num_query, 1)``.

        Raises:
            ValueError: the search region is of another size than ``bbox_head`` works on.
        """
        self.require_size(inputs[-1]["feat"][0])
        parts = [self._tokens(part["feat"][0], part["mask"]) for part in inputs]
        tokens, masks, positions = zip(*parts, strict=True)
        found, memory = self.transformer(
            torch.cat(tokens), torch.cat(masks, dim=1), self.query_embedding.weight,
            torch.cat(positions),
        )  # fmt: skip
        results = {}
        if self.cls_head is not None:
            results["pred_logits"] = self.cls_head(found)[-1]
        if not (self.training and "bbox_head" in self.frozen_parts):
            results["pred_bboxes"] = self.forward_bbox_head(found[-1:], memory)
        return results

    def _tokens(
        self, feat: torch.Tensor, mask: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Tokens ``(h * w, N, C)`` of a feature map, their mask and their positions."""
        small = F.interpolate(mask[:, None].float(), size=feat.shape[-2:])[:, 0].bool()
        position = self.positional_encoding(small)
        return (
            feat.flatten(2).permute(2, 0, 1),
            small.flatten(1),
            position.flatten(2).permute(2, 0, 1).to(feat.dtype),
        )

    def forward_bbox_head(self, feat: torch.Tensor, enc_mem: torch.Tensor) -> torch.Tensor:
        """Boxes of the queries.

        The encoded search region, weighted with its similarity to the embedding of a query,
        makes the feature map in which the corners are found.

        Args:
            feat: Embeddings of the queries, ``(1, N, num_query, C)``.
            enc_mem: Encoded tokens, ``(L, N, C)``, those of the search region last.

        Returns:
            ``(N, num_query, 4)``, x1y1x2y2 in pixels of the search region.
        """
        side = self.bbox_head.feat_size
        search = enc_mem[-side * side :].permute(1, 2, 0)  # N, C, L
        queries = feat[0]  # N, Q, C
        similarity = queries @ search  # N, Q, L
        maps = search[:, None] * similarity[:, :, None]  # N, Q, C, L
        bboxes = self.bbox_head(maps.flatten(0, 1).view(-1, search.shape[1], side, side))
        return bboxes.view(*queries.shape[:2], 4)
