"""The score below which boxes are hidden when a report is opened."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mmtrack.core.visualization.report import Video
from mmtrack.core.visualization.report.model import CORRECT, NOT_COUNTED


def best_least_score(videos: Sequence[Video]) -> float | None:
    """The least score at which F1 of the boxes is best; None where no box is right.

    Detectors give hundreds of weak boxes for a frame, which average precision needs and which would
    hide everything else. Matches are made in the order of the scores, so that leaving out weaker
    boxes does not change those of the stronger ones: F1 = 2 TP / (boxes + objects) is exact.

    Args:
        videos: With ground truth, and boxes that were compared with it.
    """
    results = [video.results for video in videos]
    # the page holds scores in single precision
    scores = np.concatenate([boxes.scores for boxes in results]).astype(np.float32)
    states = np.concatenate([boxes.states for boxes in results])
    num_objects = sum(int((video.truth.states != NOT_COUNTED).sum()) for video in videos)
    order = np.argsort(-scores, kind="stable")
    scores, states = scores[order], states[order]
    right = np.cumsum(states == CORRECT)
    if not len(scores) or right[-1] == 0:
        return None
    f1 = 2 * right / (np.cumsum(states != NOT_COUNTED) + num_objects)
    last_of_equals = np.append(scores[1:] != scores[:-1], True)
    return float(scores[np.argmax(np.where(last_of_equals, f1, -1))])


def note_on_least_score(score: float | None) -> list[str]:
    """What the reader should know of it."""
    if score is None:
        return []
    return [
        f"At first boxes below a score of {score:.3f} are hidden: there F1 of the boxes is best."
    ]
