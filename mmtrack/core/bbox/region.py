"""Regions of the VOT challenge, upright rectangles and polygons, and how much two of them overlap.

Areas are exact: polygons are cut, not painted on a pixel grid.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .iou import bbox_iou

_LEAST_POLYGON = 8  # numbers of a polygon: four corners
_ROUNDING = 1e-12  # overlaps up to here are the rounding errors of regions that do not meet


@dataclass(frozen=True)
class Rectangle:
    """An upright rectangle.

    Attributes:
        x: Left edge in pixels.
        y: Upper edge in pixels.
        width: Extent to the right.
        height: Extent downwards.
    """

    x: float
    y: float
    width: float
    height: float

    def as_array(self) -> np.ndarray:
        """``(4,)``: x, y, width, height."""
        return np.array([self.x, self.y, self.width, self.height], dtype=np.float64)


@dataclass(frozen=True)
class Polygon:
    """A simple polygon, one whose edges do not cross.

    Attributes:
        points: Its corners in order, x and y in pixels.
    """

    points: tuple[tuple[float, float], ...]

    def as_array(self) -> np.ndarray:
        """``(2 K,)``: x and y of each of the K corners."""
        return np.array(self.points, dtype=np.float64).reshape(-1)


Region = Rectangle | Polygon


def bbox2region(bbox: np.ndarray) -> Region:
    """Make a region of numbers.

    Args:
        bbox: ``(4,)``, x, y, width, height; or ``(2 K,)`` with K at least 4, the corners of a
            polygon, x and y in turn.

    Raises:
        ValueError: it has another count of numbers, or one that is not finite.
    """
    values = np.asarray(bbox, dtype=np.float64).reshape(-1)
    _check_width(len(values))
    if not np.isfinite(values).all():
        raise ValueError(f"a region needs finite numbers, found {values.tolist()}")
    if len(values) == 4:
        return Rectangle(*values.tolist())
    return Polygon(tuple(map(tuple, values.reshape(-1, 2).tolist())))


def calculate_region_overlap(
    region1: Region | np.ndarray,
    region2: Region | np.ndarray,
    bounds: tuple[float, float] | None = None,
) -> float:
    """Intersection over union of two regions.

    Args:
        region1: A region, or numbers as ``bbox2region`` takes them.
        region2: Another one.
        bounds: Width and height of the image. What lies outside of it does not count.

    Returns:
        Overlap in [0, 1]; 0 where nothing of the regions is inside the image.

    Raises:
        ValueError: a region has neither 4 nor at least 8 numbers.
    """
    first, second = (
        region.as_array() if isinstance(region, Rectangle | Polygon) else np.asarray(region)
        for region in (region1, region2)
    )
    return float(region_overlaps(first[None], second[None], bounds)[0])


def region_overlaps(
    regions1: np.ndarray, regions2: np.ndarray, bounds: tuple[float, float] | None = None
) -> np.ndarray:
    """Intersection over union of regions, row by row.

    Args:
        regions1: ``(N, 4)``, x, y, width, height, or ``(N, 2 K)``, corners of simple polygons.
        regions2: ``(N, 4)`` or ``(N, 2 L)``.
        bounds: Width and height of the image. What lies outside of it does not count.

    Returns:
        ``(N,)`` float64 in [0, 1]; regions of which nothing is in the image overlap nothing.

    Raises:
        ValueError: the regions differ in number or have neither 4 nor at least 8 numbers.
    """
    first = np.asarray(regions1, dtype=np.float64)
    second = np.asarray(regions2, dtype=np.float64)
    if len(first) != len(second):
        raise ValueError(f"{len(first)} regions cannot be paired with {len(second)}")
    _check_width(first.shape[1])
    _check_width(second.shape[1])
    if first.shape[1] == second.shape[1] == 4:
        return bbox_iou(_corners(first, bounds), _corners(second, bounds), aligned=True)
    return _polygon_overlaps(_inside(_polygons(first), bounds), _inside(_polygons(second), bounds))


def rectangles_to_polygons(rectangles: np.ndarray) -> np.ndarray:
    """Corners of rectangles, clockwise from the upper left one.

    Args:
        rectangles: ``(N, 4)``, x, y, width, height.

    Returns:
        ``(N, 8)``.
    """
    x, y, width, height = np.asarray(rectangles, dtype=np.float64).T
    right, bottom = x + width, y + height
    return np.stack((x, y, right, y, right, bottom, x, bottom), 1)


def _check_width(count: int) -> None:
    if count != 4 and (count < _LEAST_POLYGON or count % 2):
        raise ValueError(
            f"a region has 4 numbers (x, y, width, height) or at least {_LEAST_POLYGON}, an even "
            f"count (x and y of each corner of a polygon); found {count}"
        )


def _corners(rectangles: np.ndarray, bounds: tuple[float, float] | None) -> np.ndarray:
    """x1, y1, x2, y2 of what rectangles have inside of the bounds."""
    corners = np.concatenate((rectangles[:, :2], rectangles[:, :2] + rectangles[:, 2:]), 1)
    return corners if bounds is None else np.clip(corners, 0, np.tile(bounds, 2))


def _polygons(regions: np.ndarray) -> np.ndarray:
    """Corners ``(N, K, 2)`` of regions of either kind."""
    rows = rectangles_to_polygons(regions) if regions.shape[1] == 4 else regions
    return rows.reshape(len(rows), rows.shape[1] // 2, 2)


def _inside(polygons: np.ndarray, bounds: tuple[float, float] | None) -> np.ndarray:
    """The part of polygons inside of the bounds."""
    if bounds is None:
        return polygons
    width, height = bounds
    for normal, offset in (((1, 0), 0), ((-1, 0), width), ((0, 1), 0), ((0, -1), height)):
        polygons = _cut(polygons, polygons @ np.array(normal, dtype=np.float64) + offset)
    return polygons


def _polygon_overlaps(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Intersection over union of polygons ``(N, K, 2)`` and ``(N, L, 2)``."""
    inter = np.abs(_intersections(first, second))
    union = np.abs(_signed_areas(first)) + np.abs(_signed_areas(second)) - inter
    ratio = np.divide(inter, union, out=np.zeros_like(inter), where=union > 0)
    # No overlap at all is what counts as a failure in VOT: rounding errors must not hide it.
    return np.where(ratio > _ROUNDING, np.minimum(ratio, 1.0), 0.0)


def _intersections(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Area that polygons share, with a sign.

    The second polygon is the sum of the triangles that its first corner forms with its edges,
    those that turn the other way being subtracted; so it need not be convex. Each triangle is
    convex and cuts the first polygon edge by edge.
    """
    total = np.zeros(len(first))
    for k in range(1, second.shape[1] - 1):
        triangle = second[:, [0, k, k + 1]]
        turn = np.sign(_signed_areas(triangle))
        piece = first
        for start in range(3):
            origin, end = triangle[:, start], triangle[:, (start + 1) % 3]
            edge = (end - origin) * turn[:, None]
            to = piece - origin[:, None]
            piece = _cut(piece, edge[:, None, 0] * to[..., 1] - edge[:, None, 1] * to[..., 0])
        total += turn * _signed_areas(piece)
    return total


def _cut(polygons: np.ndarray, side: np.ndarray) -> np.ndarray:
    """Keep what lies on one side of a line.

    Args:
        polygons: ``(N, K, 2)``.
        side: ``(N, K)``, distance of each corner from its polygon's line in any unit, not
            negative where the corner is kept.

    Returns:
        ``(N, M, 2)``; polygons of fewer corners repeat their first one, which adds no area.

    Reference: Sutherland and Hodgman, "Reentrant Polygon Clipping", CACM 17(1), 1974.
    """
    kept = side >= 0
    if kept.all():
        return polygons
    after = np.roll(side, -1, 1)
    crosses = kept != np.roll(kept, -1, 1)
    share = np.divide(side, side - after, out=np.zeros_like(side), where=crosses)
    crossing = polygons + share[..., None] * (np.roll(polygons, -1, 1) - polygons)
    # Each corner is followed by the point where its edge crosses the line.
    count, corners = side.shape
    points = np.stack((polygons, crossing), 2).reshape(count, 2 * corners, 2)
    wanted = np.stack((kept, crosses), 2).reshape(count, 2 * corners)
    places = np.cumsum(wanted, 1) - 1
    rows, columns = np.nonzero(wanted)
    firsts = points[np.arange(count), np.argmax(wanted, 1)]
    result = np.repeat(firsts[:, None], places.max(initial=0) + 1, axis=1)
    result[rows, places[rows, columns]] = points[rows, columns]
    return result


def _signed_areas(polygons: np.ndarray) -> np.ndarray:
    """Area of polygons ``(N, K, 2)`` by the shoelace formula, positive when clockwise on screen."""
    # Relative to a corner: far from the origin the products would lose digits.
    x, y = np.moveaxis(polygons - polygons[:, :1], -1, 0)
    return 0.5 * np.sum(x * np.roll(y, -1, 1) - np.roll(x, -1, 1) * y, 1)
