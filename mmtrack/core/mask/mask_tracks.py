"""Objects as one mask per frame, and how much two of them overlap over a whole video.

Reference: Yang, Fan and Xu, "Video Instance Segmentation", ICCV 2019, section 3.2: the IoU of two
    sequences of masks is the sum of their intersections over the sum of their unions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pycocotools.mask as coco_mask


@dataclass(frozen=True)
class MaskTrack:
    """An object in a video of T frames.

    Attributes:
        masks: Compressed run lengths for each frame, or None where it is not seen.
        areas: Pixels of each mask, ``(T,)`` int64; 0 where it is not seen.
    """

    masks: tuple[dict | None, ...]
    areas: np.ndarray

    @classmethod
    def from_masks(cls, masks: Sequence[dict | None]) -> MaskTrack:
        """Measure the masks of an object; all of them have the size of the video."""
        areas = np.zeros(len(masks), np.int64)
        seen = [frame for frame, mask in enumerate(masks) if mask is not None]
        if seen:
            areas[seen] = coco_mask.area([masks[frame] for frame in seen])
        return cls(tuple(masks), areas)

    @property
    def mean_area(self) -> float:
        """Mean area over the frames in which it is seen; 0 for an object that never is."""
        seen = self.areas[self.areas > 0]
        return float(seen.mean()) if seen.size else 0.0


def track_ious(tracks: Sequence[MaskTrack], others: Sequence[MaskTrack]) -> np.ndarray:
    """Overlap of objects over all frames of a video.

    Args:
        tracks: D objects of a video of T frames.
        others: G objects of the same video.

    Returns:
        Sum of the intersections over the sum of the unions, ``(D, G)`` float64; 0 for two objects
        that are never seen.
    """
    shared = np.zeros((len(tracks), len(others)))
    if not shared.size:
        return shared
    areas = np.stack([track.areas for track in tracks])
    other_areas = np.stack([track.areas for track in others])
    for frame in np.flatnonzero(areas.any(0) & other_areas.any(0)):
        rows, columns = np.flatnonzero(areas[:, frame]), np.flatnonzero(other_areas[:, frame])
        # With the flag for crowds pycocotools returns intersection over area, so that the whole
        # number of shared pixels is recovered exactly.
        shares = coco_mask.iou(
            [tracks[row].masks[frame] for row in rows],
            [others[column].masks[frame] for column in columns],
            [1] * len(columns),
        )
        shared[np.ix_(rows, columns)] += np.rint(shares * areas[rows, frame, None])
    union = areas.sum(1)[:, None] + other_areas.sum(1) - shared
    return shared / np.maximum(union, 1)
