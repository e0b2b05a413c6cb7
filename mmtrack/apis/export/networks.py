"""Graphs of ReID models and of the two branches of single object trackers."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from mmtrack.models.track_heads.siamese_rpn_head import TemplateKernels


class EmbeddingGraph(nn.Module):
    """A ReID model: crops to embeddings.

    Args:
        reid: A ``BaseReID``.
    """

    def __init__(self, reid: nn.Module):
        super().__init__()
        self.reid = reid

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        """Embeddings ``(N, C)`` of normalised crops ``(N, 3, H, W)``."""
        return self.reid.head.forward_train(self.reid.extract_feat(crops))[0]


class TrackerGraph(nn.Module):
    """What is computed of one frame by a single object tracker.

    Args:
        model: The tracker.
    """

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model


class SiamRPNTemplate(TrackerGraph):
    """SiameseRPN++, what is computed once from the first frame.

    Args:
        model: A ``SiamRPN``.
    """

    def forward(self, template: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Kernels of every level for the classification, then those for the regression.

        Args:
            template: ``(1, 3, E, E)``, E of ``test_cfg.exemplar_size``, pixels from 0 to 255.
        """
        kernels = self.model.head.encode_template(self.model.forward_template(template))
        return (*kernels.cls, *kernels.reg)


class SiamRPNSearch(TrackerGraph):
    """SiameseRPN++ in every further frame: network, decoding and choice of the box.

    Args:
        model: A ``SiamRPN``.
    """

    def forward(
        self,
        search: torch.Tensor,
        prev_bbox: torch.Tensor,
        scale_factor: torch.Tensor,
        *kernels: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Box of the object in the frame, not yet clipped to it, and its score.

        Args:
            search: ``(1, 3, S, S)``, S of ``test_cfg.search_size``, pixels from 0 to 255.
            prev_bbox: ``(4,)``, centre x, centre y, width, height in the last frame.
            scale_factor: Pixels of ``search`` per pixel of the frame, without dimensions.
            *kernels: Output of :class:`SiamRPNTemplate`.

        Returns:
            ``(4,)``, centre x, centre y, width, height in pixels of the frame, and the score
            without dimensions.
        """
        levels = len(kernels) // 2
        encoded = TemplateKernels(kernels[:levels], kernels[levels:])
        maps = self.model.head(encoded, self.model.forward_search(search))
        score, bbox = self.model.head.get_bbox(*maps, prev_bbox, scale_factor)
        return bbox, score


class StarkTemplate(TrackerGraph):
    """STARK, features of a template.

    Args:
        model: A ``Stark``.
    """

    def forward(self, template: torch.Tensor) -> torch.Tensor:
        """Features ``(1, C, h, w)`` of a normalised template ``(1, 3, T, T)``."""
        return self.model.extract_feat(template)[0]


class StarkSearch(TrackerGraph):
    """STARK in every further frame: backbone, transformer and heads.

    Args:
        model: A ``Stark``.
    """

    def forward(
        self,
        search: torch.Tensor,
        search_mask: torch.Tensor,
        template_feats: torch.Tensor,
        template_masks: torch.Tensor,
    ) -> tuple[torch.Tensor, ...]:
        """Box of the object in the search region, and the score where there is a score head.

        Args:
            search: ``(1, 3, S, S)``, normalised.
            search_mask: ``(1, S, S)`` bool, true where ``search`` shows padding.
            template_feats: ``(K, C, h, w)``, features of all templates.
            template_masks: ``(K, T, T)`` bool.

        Returns:
            ``(4,)``, x1y1x2y2 in pixels of ``search``, and the score without dimensions, within
            [0, 1].
        """
        templates = _inputs(template_feats.split(1), template_masks.split(1))
        searched = _inputs([self.model.extract_feat(search)[0]], [search_mask])
        found = self.model.head([*templates, *searched])
        bbox = found["pred_bboxes"][0].mean(dim=0)
        if "pred_logits" not in found:
            return (bbox,)
        return bbox, found["pred_logits"].sigmoid().mean()


def _inputs(feats: Sequence[torch.Tensor], masks: Sequence[torch.Tensor]) -> list[dict]:
    """Inputs of the head."""
    return [{"feat": (f,), "mask": m} for f, m in zip(feats, masks, strict=True)]
