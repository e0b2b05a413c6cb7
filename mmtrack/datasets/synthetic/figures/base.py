"""What the compositor asks of anything that can be drawn."""

from __future__ import annotations

from ..sprite import Sprite


class Figure:
    """A thing that can be drawn in numbered poses and headings.

    Drawings are made when they are first asked for and kept.

    Args:
        resolution: Pixels per metre of the drawings.
    """

    headings = 1

    def __init__(self, resolution: float):
        self.resolution = resolution
        self._drawn: dict[tuple[int, int], Sprite] = {}

    @property
    def width(self) -> float:
        """Width of the shadow in metres."""
        raise NotImplementedError

    def sprite(self, pose: int, heading: int) -> Sprite:
        """Draw one pose and heading."""
        raise NotImplementedError

    def look(self, pose: int, heading: int) -> Sprite:
        """The drawing of a pose and heading, drawn at most once."""
        key = (int(pose), int(heading))
        if key not in self._drawn:
            self._drawn[key] = self.sprite(*key)
        return self._drawn[key]
