"""Graphs of ReID models and of the two branches of single object trackers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

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
        return box_and_score(self.model.head([*templates, *searched]))


class MixFormerTemplate(TrackerGraph):
    """MixFormer, what all templates together leave for the search region.

    Args:
        model: A ``MixFormer``.
    """

    def forward(self, templates: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Features of the first template, then keys and values of every stage.

        Args:
            templates: ``(T, 3, S, S)``, normalised, the first template first.

        Returns:
            ``(1, C, h, w)``, and for each stage keys and values of its blocks,
            ``(blocks, heads, L, d)`` with L places of all templates.
        """
        feat, memory = self.model.backbone.encode_templates(templates[None])
        return (feat, *stack_memory(memory, self.model.backbone.depth))


class MixFormerSearch(TrackerGraph):
    """MixFormer in every further frame: backbone and heads.

    Args:
        model: A ``MixFormer``.
    """

    def forward(
        self, search: torch.Tensor, template_feat: torch.Tensor, *memory: torch.Tensor
    ) -> tuple[torch.Tensor, ...]:
        """Box of the object in the search region, and the score where there is a score head.

        Args:
            search: ``(1, 3, S, S)``, normalised.
            template_feat: First output of :class:`MixFormerTemplate`.
            *memory: Its other outputs.

        Returns:
            ``(4,)``, x1y1x2y2 in pixels of ``search``, and the score without dimensions, within
            [0, 1].
        """
        blocks = [
            (key[None], value[None])
            for keys, values in zip(memory[::2], memory[1::2], strict=True)
            for key, value in zip(keys.unbind(), values.unbind(), strict=True)
        ]
        return box_and_score(
            self.model.head(template_feat, self.model.backbone.encode_search(search, blocks))
        )


def stack_memory(
    memory: Sequence[tuple[torch.Tensor, torch.Tensor]], depth: Sequence[int]
) -> list[torch.Tensor]:
    """Keys and values of every stage, ``(blocks, heads, L, d)``, from those of blocks."""
    keys, values = (list(parts) for parts in zip(*memory, strict=True))
    stacked = []
    for end, count in zip(accumulate(depth), depth, strict=True):
        stacked += [torch.cat(parts[end - count : end]) for parts in (keys, values)]
    return stacked


def box_and_score(found: dict[str, torch.Tensor]) -> tuple[torch.Tensor, ...]:
    """Box ``(4,)`` and, where the head scores, the score, of what the head found."""
    bbox = found["pred_bboxes"][0].mean(dim=0)
    if "pred_logits" not in found:
        return (bbox,)
    return bbox, found["pred_logits"].sigmoid().mean()


def _inputs(feats: Sequence[torch.Tensor], masks: Sequence[torch.Tensor]) -> list[dict]:
    """Inputs of the head."""
    return [{"feat": (f,), "mask": m} for f, m in zip(feats, masks, strict=True)]
