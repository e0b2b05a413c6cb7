"""Head of MixFormer: the box by its corners, and a token that scores it."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from ...core.track import precise_roi_pool
from ..builder import MODELS, build_part
from .box_score_head import BoxScoreHead
from .score_head import ScoreHead

# What the token looks at, one attention block after the other: the box, then the template.
BLOCKS = 2


@MODELS.register_module()
class MixFormerScoreDecoder(nn.Module):
    """Score of a box: a learnt token that looks into the box, then at the first template.

    Args:
        pool_size: The features in the box are pooled to this number of rows and columns.
        feat_size: Side of the (square) map of the search region.
        stride: Pixels of the search region between neighbouring places of the map.
        num_heads: Heads of the attention.
        hidden_dim: Channels of the map.
        num_layers: Layers of the perceptron that makes the score.

    Raises:
        ValueError: ``hidden_dim`` is no multiple of ``num_heads``.

    Reference: Cui et al., "MixFormer: End-to-End Tracking with Iterative Mixed Attention", CVPR
    2022, section 3.2 (score prediction module). A block is attention, a linear layer and a
    normalisation, without a shortcut; the normalisations and the division of products by the root
    of the whole width are those that the published weights were trained with, as in the backbone.
    """

    def __init__(
        self,
        pool_size: int = 4,
        feat_size: int = 20,
        stride: int = 16,
        num_heads: int = 6,
        hidden_dim: int = 384,
        num_layers: int = 3,
    ):
        super().__init__()
        if hidden_dim % num_heads:
            raise ValueError(f"hidden_dim {hidden_dim} is no multiple of num_heads {num_heads}")
        self.pool_size = pool_size
        self.feat_size = feat_size
        self.stride = stride
        self.num_heads = num_heads
        self.scale = hidden_dim**-0.5
        self.score_token = nn.Parameter(torch.zeros(1, 1, hidden_dim))
        self.score_head = ScoreHead(hidden_dim, hidden_dim, 1, num_layers)
        self.proj_q = _linear_layers(hidden_dim)
        self.proj_k = _linear_layers(hidden_dim)
        self.proj_v = _linear_layers(hidden_dim)
        self.proj = _linear_layers(hidden_dim)
        self.norm1 = nn.LayerNorm(hidden_dim)
        self.norm2 = nn.ModuleList(nn.LayerNorm(hidden_dim) for _ in range(BLOCKS))
        nn.init.trunc_normal_(self.score_token, std=0.02)

    def forward(
        self, search_feat: torch.Tensor, template_feat: torch.Tensor, search_box: torch.Tensor
    ) -> torch.Tensor:
        """Scores of boxes.

        Args:
            search_feat: Maps of the search regions, ``(N, C, feat_size, feat_size)``.
            template_feat: Maps of the first templates, ``(N, C, h, w)``.
            search_box: ``(N, 4)``, x1y1x2y2 in pixels of the search region.

        Returns:
            ``(N, 1, 1)``, any real number: the sigmoid is not applied.
        """
        inside = precise_roi_pool(search_feat, search_box / self.stride, self.pool_size)
        token = self.norm1(self.score_token.expand(len(search_feat), -1, -1))
        for block, seen in enumerate((inside, template_feat)):
            token = self._look(block, token, seen.flatten(2).transpose(1, 2))
        return self.score_head(token)

    def _look(self, block: int, token: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
        """The token ``(N, 1, C)`` after it attended to tokens ``(N, L, C)``."""
        query, key, value = (
            layers[block](tokens).unflatten(2, (self.num_heads, -1)).transpose(1, 2)
            for layers, tokens in (
                (self.proj_q, token), (self.proj_k, seen), (self.proj_v, seen),
            )
        )  # fmt: skip
        found = F.scaled_dot_product_attention(query, key, value, scale=self.scale)
        return self.norm2[block](self.proj[block](found.transpose(1, 2).flatten(2)))


def _linear_layers(dim: int) -> nn.ModuleList:
    return nn.ModuleList(nn.Linear(dim, dim) for _ in range(BLOCKS))


@MODELS.register_module()
class MixFormerHead(BoxScoreHead):
    """Box of the target in a search region, and how sure it is that this is the target.

    Training has two stages. In the first there is no ``score_head``, and everything learns to find
    the box. In the second ``frozen_modules`` keeps what has been learnt, and only the score
    learns, from true boxes, with search regions that do not show the target among them.

    Args:
        bbox_head: Config of the head that finds the box, see :class:`CornerPredictorHead`.
        score_head: Config of the head that scores, see :class:`MixFormerScoreDecoder`; None in the
            first stage.
        loss_bbox: Config of the loss of the box as a fraction of the search region.
        loss_iou: Config of the loss of the overlap.
        train_cfg: Settings of the training, kept for custom heads.
        test_cfg: Settings of the test, kept for custom heads.
        init_cfg: Initialisation of the weights.
        loss_cls: Config of the loss of the score.
        frozen_modules: Parts of the head that do not learn.

    Reference: Cui et al., "MixFormer: End-to-End Tracking with Iterative Mixed Attention", CVPR
    2022, sections 3.2 and 3.3.
    """

    def __init__(
        self,
        bbox_head: dict | None = None,
        score_head: dict | None = None,
        loss_bbox: dict = {"type": "L1Loss", "loss_weight": 5.0},  # noqa: B006 - read only
        loss_iou: dict = {"type": "GIoULoss", "loss_weight": 2.0},  # noqa: B006
        train_cfg: dict | None = None,
        test_cfg: dict | None = None,
        init_cfg: dict | None = None,
        loss_cls: dict = {"type": "CrossEntropyLoss", "use_sigmoid": True},  # noqa: B006
        frozen_modules: str | list[str] | tuple[str, ...] | None = None,
    ):
        super().__init__(loss_bbox, loss_iou, None if score_head is None else loss_cls, init_cfg)
        self.train_cfg = train_cfg
        self.test_cfg = test_cfg
        self.bbox_head = build_part(bbox_head)
        self.score_decoder_head = None if score_head is None else build_part(score_head)
        if frozen_modules is not None:
            self.freeze_module(frozen_modules)

    def forward(
        self,
        template: torch.Tensor,
        search: torch.Tensor,
        run_score_head: bool = True,
        gt_bboxes: torch.Tensor | None = None,
    ) -> dict[str, torch.Tensor]:
        """Find and score the target.

        In training mode only what something can be learnt from is computed: no boxes where
        ``bbox_head`` is frozen and true boxes are given.

        Args:
            template: Maps of the first templates, ``(N, C, h, w)``.
            search: Maps of the search regions, ``(N, C, H, W)``.
            run_score_head: Compute the score, if there is a head for it.
            gt_bboxes: Boxes to score in place of those that are found, ``(N, 4)``, x1y1x2y2 in
                pixels of the search region.

        Returns:
            ``pred_bboxes``, ``(N, 1, 4)``, x1y1x2y2 in pixels of the search region, and with a
            score ``pred_logits``, ``(N, 1, 1)``.

        Raises:
            ValueError: the search region is of another size than ``bbox_head`` works on.
        """
        self.require_size(search)
        results = {}
        frozen = self.training and "bbox_head" in self.frozen_parts
        if not frozen or gt_bboxes is None:
            results["pred_bboxes"] = self.forward_bbox_head(search)
        if run_score_head and self.score_decoder_head is not None:
            # a score is no reason to move a box
            bboxes = results["pred_bboxes"][:, 0].detach() if gt_bboxes is None else gt_bboxes
            results["pred_logits"] = self.score_decoder_head(search, template, bboxes)
        return results

    def forward_bbox_head(self, search: torch.Tensor) -> torch.Tensor:
        """Boxes ``(N, 1, 4)``, x1y1x2y2 in pixels, of maps of search regions ``(N, C, H, W)``."""
        return self.bbox_head(search)[:, None]
