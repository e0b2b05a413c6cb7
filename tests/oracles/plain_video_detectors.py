"""Video detectors that compute everything again for every frame, written from the papers.

They take the networks of a model and use none of its memory: oracles of the tests, and what the
benchmark compares with.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F

from mmtrack.core.motion import flow_warp_feats


@torch.no_grad()
def plain_fgfa(model, frames, metas, key: int, references: list[int]) -> list:
    """Boxes per class of a frame: FGFA, ICCV 2017, algorithm 1.

    Args:
        model: An FGFA.
        frames: All frames of the video, each ``(1, 3, H, W)``.
        metas: Meta data of each.
        key: Number of the key frame.
        references: Its window with the key frame; frames may repeat, and the first time that the
            key frame comes stands for itself.
    """
    detector = model.detector
    ref_frames = torch.cat([frames[i] for i in references])
    (feats,) = detector.extract_feat(ref_frames)
    pairs = torch.cat((frames[key].expand_as(ref_frames), ref_frames), 1)
    moved = list(flow_warp_feats(feats, model.motion(pairs, [metas[key]])).split(1))
    own = references.index(key)
    feat = moved[own] = feats[own : own + 1]
    embed = embedding(model.aggregator)
    weights = torch.cat([F.cosine_similarity(embed(feat), embed(m), dim=1)[:, None] for m in moved])
    weights = weights.exp() / weights.exp().sum(0, keepdim=True)
    x = [sum(w * m for w, m in zip(weights, moved, strict=True))]
    proposals = detector.rpn_head.simple_test_rpn(x, [metas[key]])
    return detector.roi_head.simple_test(x, proposals, [metas[key]], rescale=True)[0]


def embedding(aggregator):
    """The embedding of an aggregator as a function."""

    def embed(x):
        for conv in aggregator.embed_convs:
            x = conv(x)
        return x

    return embed


@torch.no_grad()
def plain_selsa(model, frames, metas, key: int, references: list[int]) -> list:
    """Boxes per class of a frame: SELSA, ICCV 2019, figure 2.

    Args:
        model: A SELSA.
        frames: All frames of the video, each ``(1, 3, H, W)``.
        metas: Meta data of each.
        key: Number of the key frame.
        references: Its references, the key frame included.
    """
    detector = model.detector
    x = detector.extract_feat(frames[key])
    ref_x = detector.extract_feat(torch.cat([frames[i] for i in references]))
    proposals = detector.rpn_head.simple_test_rpn(x, [metas[key]])
    ref_proposals = detector.rpn_head.simple_test_rpn(ref_x, [metas[i] for i in references])
    return detector.roi_head.simple_test(
        x, ref_x, proposals, ref_proposals, [metas[key]], rescale=True
    )[0]
