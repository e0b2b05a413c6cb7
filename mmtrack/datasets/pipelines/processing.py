"""Steps that relate the frames of a sample to each other."""

from __future__ import annotations

import numpy as np
from mmdet.datasets.builder import PIPELINES


def match_ids(ids: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Index of each id in another list.

    Args:
        ids: Instance ids ``(n,)``; negative ones stand for "no identity".
        other: Instance ids ``(m,)`` of the other frame.

    Returns:
        Index of the first equal entry of `other` ``(n,)`` int64, -1 without one.
    """
    if len(other) == 0:
        return np.full(len(ids), -1, np.int64)
    equal = (ids[:, None] == other[None]) & (ids[:, None] >= 0)
    return np.where(equal.any(axis=1), equal.argmax(axis=1), -1).astype(np.int64)


@PIPELINES.register_module()
class MatchInstances:
    """Find the objects that both frames of a pair show, by their instance ids.

    Args:
        skip_nomatch: Skip pairs without a common object.
    """

    def __init__(self, skip_nomatch: bool = True):
        self.skip_nomatch = skip_nomatch

    def __call__(self, results: list[dict]) -> list[dict] | None:
        """Add ``gt_match_indices`` (n,) to both frames: index in the other frame, or -1.

        Returns:
            The frames; None if nothing matches and such pairs are skipped.

        Raises:
            ValueError: There are not exactly two frames.
        """
        if len(results) != 2:
            raise ValueError(
                f"MatchInstances needs a pair of frames, got {len(results)}: set num_ref_imgs=1 "
                "in ref_img_sampler"
            )
        first, second = (np.asarray(frame["gt_instance_ids"]) for frame in results)
        results[0]["gt_match_indices"] = match_ids(first, second)
        results[1]["gt_match_indices"] = match_ids(second, first)
        if self.skip_nomatch and not (results[0]["gt_match_indices"] >= 0).any():
            return None
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}(skip_nomatch={self.skip_nomatch})"
