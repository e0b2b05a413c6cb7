"""Choice of a proposal against the formulas of the paper, one proposal at a time."""

from __future__ import annotations

import math

import pytest
import torch

from mmtrack.core.track.proposal_selection import select_proposal


def plain_choice(scores, sizes, prev, window, k, influence):
    """Equations 11 and 12 of SiamRPN in plain Python."""

    def side(w, h):
        p = (w + h) / 2
        return math.sqrt((w + p) * (h + p))

    ranks, penalties = [], []
    for score, (w, h), preference in zip(scores, sizes, window, strict=True):
        r, old_r = w / h, prev[0] / prev[1]
        s, old_s = side(w, h), side(*prev)
        change = max(r / old_r, old_r / r) * max(s / old_s, old_s / s)
        penalties.append(math.exp(k * (1 - change)))
        ranks.append(score * penalties[-1] * (1 - influence) + preference * influence)
    best = max(range(len(ranks)), key=ranks.__getitem__)
    return best, penalties[best]


@pytest.mark.parametrize("k", [0.0, 0.05, 0.4])
@pytest.mark.parametrize("influence", [0.0, 0.42, 1.0])
def test_equals_the_formulas(k, influence):
    generator = torch.Generator().manual_seed(5)
    scores, window = torch.rand(2, 200, generator=generator)
    sizes = torch.rand(200, 2, generator=generator) * 60 + 5
    prev = (torch.tensor(30.0), torch.tensor(44.0))
    found = select_proposal(scores, sizes, prev, window, penalty_k=k, window_influence=influence)
    best, penalty = plain_choice(
        scores.tolist(), sizes.tolist(), [30.0, 44.0], window.tolist(), k, influence
    )
    assert int(found.index) == best
    assert float(found.penalty) == pytest.approx(penalty, rel=1e-5)
    assert float(found.score) == float(scores[best])
