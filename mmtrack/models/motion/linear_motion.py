"""Motion of boxes with the mean velocity of the last frames."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from typing import Any

import torch

from ..builder import MOTION


@MOTION.register_module()
class LinearMotion:
    """Move boxes on with their recent mean velocity.

    Args:
        num_samples: Number of last boxes that the velocity is taken from.
        center_motion: Move the centre and keep the size, instead of moving all four edges.

    Reference: Bergmann et al., "Tracking Without Bells and Whistles", ICCV 2019, section 2.3.
    """

    def __init__(self, num_samples: int = 2, center_motion: bool = False):
        if num_samples < 1:
            raise ValueError(f"num_samples must be at least 1, found {num_samples}")
        self.num_samples = num_samples
        self.center_motion = center_motion

    def center(self, bbox: torch.Tensor) -> torch.Tensor:
        """Centre x, y of a box ``(..., 4)`` in x1y1x2y2, as ``(..., 2)``."""
        return (bbox[..., :2] + bbox[..., 2:4]) / 2

    def get_velocity(
        self, bboxes: Sequence[torch.Tensor], num_samples: int | None = None
    ) -> torch.Tensor:
        """Mean velocity over the last boxes, in pixels a frame.

        Args:
            bboxes: Boxes of one track, oldest first, each ``(..., 4)``.
            num_samples: Number of boxes to use; that of the model by default.

        Returns:
            Velocity of the centre ``(..., 2)`` when ``center_motion`` is set, else of the four
            coordinates ``(..., 4)``. A track of one box stands still.
        """
        recent = list(bboxes)[-(num_samples or self.num_samples) :]
        first, last = recent[0], recent[-1]
        if self.center_motion:
            first, last = self.center(first), self.center(last)
        return (last - first) / max(len(recent) - 1, 1)

    def step(
        self, bboxes: Sequence[torch.Tensor], velocity: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Last box of a track, one frame on.

        Args:
            bboxes: Boxes of one track, oldest first, each ``(..., 4)``.
            velocity: As :meth:`get_velocity` returns it, which is called by default.

        Returns:
            ``(..., 4)``.
        """
        if velocity is None:
            velocity = self.get_velocity(bboxes)
        if self.center_motion:
            velocity = torch.cat((velocity, velocity), dim=-1)
        return bboxes[-1] + velocity

    def track(self, tracks: MutableMapping[int, Any], frame_id: int) -> MutableMapping[int, Any]:
        """Move the last box of every track to the given frame, in place.

        The velocity is measured while a track is seen, and kept while it is lost, when its last
        box is already a prediction.

        Args:
            tracks: Track of each id, with attributes ``bboxes`` and ``frame_ids``; ``velocity`` is
                set.
            frame_id: The frame that begins.

        Returns:
            The tracks.
        """
        for track in tracks.values():
            if int(track.frame_ids[-1]) == frame_id - 1 or "velocity" not in track:
                track.velocity = self.get_velocity(track.bboxes)
            track.bboxes[-1] = self.step(track.bboxes, track.velocity)
        return tracks
