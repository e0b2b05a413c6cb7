"""Draw a dressed person from a pose, a heading and an appearance."""

from __future__ import annotations

import cv2
import numpy as np

from ..sprite import Sprite
from .appearance import Appearance, cloth_texture
from .base import Figure
from .skeleton import HIP_HALF, Pose, joints

HEADINGS = 8  # directions a sprite is drawn for; 0 faces the camera, then towards the right
_OVERSAMPLING = 2
_HALF_WIDTH, _TOP, _BOTTOM = 0.6, 0.3, 1.06  # canvas in body heights around the feet


class _Drawing:
    """Shapes in body heights on an oversampled canvas."""

    def __init__(self, unit: float):
        self.unit = unit
        even = _OVERSAMPLING * np.ceil(np.array([2 * _HALF_WIDTH, _TOP + _BOTTOM]) * unit / 2)
        self.size = (int(even[0]), int(even[1]))
        self.colours = np.zeros((self.size[1], self.size[0], 3), np.uint8)
        self.mask = np.zeros(self.size[::-1], np.uint8)

    def pixel(self, point: np.ndarray) -> tuple[int, int]:
        return int((point[0] + _HALF_WIDTH) * self.unit), int((point[1] + _TOP) * self.unit)

    def limb(self, start: np.ndarray, end: np.ndarray, width: float, colour: tuple) -> None:
        thickness = max(int(round(width * self.unit)), 1)
        for plane, value in ((self.colours, colour), (self.mask, 255)):
            cv2.line(plane, self.pixel(start), self.pixel(end), value, thickness)

    def ellipse(
        self, centre: np.ndarray, axes: tuple, colour: tuple, arc: tuple = (0, 360)
    ) -> None:
        radii = tuple(max(int(round(axis * self.unit)), 1) for axis in axes)
        for plane, value in ((self.colours, colour), (self.mask, 255)):
            cv2.ellipse(plane, self.pixel(centre), radii, 0, *arc, value, -1)

    def polygon(self, points: list, colour: tuple) -> None:
        corners = np.array([self.pixel(point) for point in points], np.int32)
        for plane, value in ((self.colours, colour), (self.mask, 255)):
            cv2.fillPoly(plane, [corners], value)

    def garment(self, points: list, look: Appearance, origin: np.ndarray) -> None:
        """A polygon in patterned cloth; ``origin`` is where the pattern starts."""
        corners = np.array([self.pixel(point) for point in points], np.int32)
        left, top, width, height = cv2.boundingRect(corners)
        inside = np.zeros((height, width), np.uint8)
        cv2.fillPoly(inside, [corners - (left, top)], 255)
        start = self.pixel(origin)
        texture = cloth_texture(look, (width, height), self.unit, (start[0] - left, start[1] - top))
        window = (slice(top, top + height), slice(left, left + width))
        np.copyto(self.colours[window], texture, where=inside[..., None] > 0)
        self.mask[window] |= inside


def _darker(colour: tuple, factor: float) -> tuple:
    return tuple(int(value * factor) for value in colour)


class PersonFigure(Figure):
    """A person who can take several poses.

    Args:
        appearance: Body and clothes.
        poses: Poses that tracks refer to by index.
        resolution: Pixels per metre of the drawings; about the largest seen in the scene.
    """

    headings = HEADINGS

    def __init__(self, appearance: Appearance, poses: list[Pose], resolution: float):
        super().__init__(resolution)
        self.appearance = appearance
        self.poses = poses

    @property
    def width(self) -> float:
        """Width of the shadow in metres."""
        return 0.5 * self.appearance.build

    def sprite(self, pose: int, heading: int) -> Sprite:
        """Drawing of one pose and heading; headings beyond half a turn are mirror images."""
        if heading > HEADINGS // 2:
            return self.look(pose, HEADINGS - heading).mirrored()
        return self._draw(self.poses[pose], 2 * np.pi * heading / HEADINGS)

    def _draw(self, pose: Pose, angle: float) -> Sprite:
        unit = self.appearance.height * self.resolution * _OVERSAMPLING
        drawing = _Drawing(unit)
        body = joints(pose)
        # Orthographic view: a body that heads to the right (quarter turn) shows its profile.
        view = np.array([[np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
        flat = {name: view @ point for name, point in body.items()}
        nearness = {name: p[0] * np.cos(angle) - p[1] * np.sin(angle) for name, p in body.items()}
        sides = sorted(("left", "right"), key=lambda side: nearness[f"{side}_shoulder"])
        _draw_bag(drawing, self.appearance, flat, angle, behind=True)
        self._draw_leg(drawing, flat, sides[0], 0.78)
        self._draw_arm(drawing, flat, sides[0], 0.78)
        self._draw_leg(drawing, flat, sides[1], 1.0)
        self._draw_torso(drawing, flat, angle)
        self._draw_head(drawing, flat, angle)
        self._draw_arm(drawing, flat, sides[1], 1.0)
        _draw_bag(drawing, self.appearance, flat, angle, behind=False)
        return _finish(drawing, flat["head"], self.resolution)

    def _draw_leg(self, drawing: _Drawing, flat: dict, side: str, light: float) -> None:
        look = self.appearance
        bare = look.legwear in ("shorts", "skirt")
        cloth = _darker(look.bottom, light)
        shin = _darker(look.skin, light) if bare else cloth
        thigh = _darker(look.skin, light) if look.legwear == "skirt" else cloth
        hip, knee, ankle = (flat[f"{side}_{part}"] for part in ("hip", "knee", "ankle"))
        drawing.limb(knee, ankle, 0.058 * look.build, shin)
        drawing.limb(hip, knee, 0.082 * look.build, thigh)
        drawing.limb(ankle, flat[f"{side}_toe"], 0.042, _darker(look.shoes, light))

    def _draw_arm(self, drawing: _Drawing, flat: dict, side: str, light: float) -> None:
        look = self.appearance
        sleeve = _darker(look.top, 0.86 * light)
        skin = _darker(look.skin, light)
        shoulder, elbow, hand = (flat[f"{side}_{part}"] for part in ("shoulder", "elbow", "hand"))
        drawing.limb(elbow, hand, 0.042 * look.build, sleeve if look.long_sleeves else skin)
        drawing.limb(shoulder, elbow, 0.055 * look.build, sleeve)
        drawing.ellipse(hand, (0.021, 0.021), skin)

    def _draw_torso(self, drawing: _Drawing, flat: dict, angle: float) -> None:
        look = self.appearance
        turned = np.array([np.cos(angle) ** 2, np.sin(angle) ** 2])
        shoulder = look.build * np.sqrt(turned @ np.array([0.112, 0.062]) ** 2)
        waist = look.build * np.sqrt(turned @ np.array([0.085, 0.058]) ** 2)
        chest, pelvis = flat["chest"], flat["pelvis"]
        drawing.limb(flat["neck"], chest, 0.055, _darker(look.skin, 0.85))
        if look.legwear == "skirt":
            hem = pelvis + np.array([0, 0.2])
            points = _trapezium(pelvis, waist, hem, waist + 0.05)
            drawing.polygon(points, look.bottom)
        low = 0.22 if look.legwear == "coat" else 0.02
        hem = pelvis + np.array([0, low])
        drawing.garment(_trapezium(chest, shoulder, pelvis, waist), look, chest)
        flare = 0.035 if look.legwear == "coat" else 0.0
        drawing.garment(_trapezium(pelvis, waist, hem, waist + flare), look, chest)
        if look.legwear in ("trousers", "shorts"):
            hips = pelvis + np.array([0, 0.05])
            points = _trapezium(hem, waist, hips, max(waist, HIP_HALF))
            drawing.polygon(points, look.bottom)

    def _draw_head(self, drawing: _Drawing, flat: dict, angle: float) -> None:
        look, head = self.appearance, flat["head"]
        back = np.array([-np.sin(angle), 0.0])
        away = np.cos(angle) < -0.5
        if look.hair_style == "long":
            drawing.ellipse(head + 0.02 * back + (0, 0.045), (0.058, 0.09), _darker(look.hair, 0.9))
        drawing.ellipse(head, (0.05, 0.066), look.hair if away else look.skin)
        if look.hair_style != "bald":
            drawing.ellipse(head + 0.016 * back - (0, 0.008), (0.056, 0.064), look.hair, (180, 360))
            if not away:
                drawing.ellipse(head + 0.035 * back + (0, 0.004), (0.028, 0.05), look.hair)
                if abs(np.sin(angle)) < 0.5:
                    drawing.ellipse(head + (0, 0.014), (0.043, 0.05), look.skin)
        if look.hair_style == "bun":
            drawing.ellipse(head + 0.045 * back - (0, 0.06), (0.026, 0.026), look.hair)
        if look.hair_style == "hat":
            brim = head - (0, 0.03) - 0.03 * back
            drawing.ellipse(head - (0, 0.034), (0.06, 0.045), look.accent, (180, 360))
            drawing.ellipse(brim, (0.075, 0.014), _darker(look.accent, 0.8))


def _trapezium(upper: np.ndarray, upper_half: float, lower: np.ndarray, lower_half: float) -> list:
    """Four corners around two points of the spine."""
    return [
        upper + (-upper_half, 0),
        upper + (upper_half, 0),
        lower + (lower_half, 0),
        lower + (-lower_half, 0),
    ]


def _draw_bag(
    drawing: _Drawing, look: Appearance, flat: dict, angle: float, *, behind: bool
) -> None:
    """A backpack shows over the body from the back only; a handbag hangs from the left hand."""
    away = np.cos(angle) < -0.5
    if look.bag == "backpack" and behind != away:
        spine = 0.45 * flat["pelvis"] + 0.55 * flat["chest"] + 0.085 * np.array([-np.sin(angle), 0])
        corners = _trapezium(spine - (0, 0.1), 0.06, spine + (0, 0.1), 0.07)
        drawing.polygon(corners, look.bag_colour)
        drawing.polygon(
            _trapezium(spine + (0, 0.01), 0.045, spine + (0, 0.07), 0.045),
            _darker(look.bag_colour, 0.7),
        )
    if look.bag == "handbag" and not behind:
        hand = flat["left_hand"]
        drawing.limb(hand, hand + (0, 0.05), 0.008, _darker(look.bag_colour, 0.5))
        drawing.polygon(
            _trapezium(hand + (0, 0.045), 0.035, hand + (0, 0.13), 0.05), look.bag_colour
        )


def _finish(drawing: _Drawing, head: np.ndarray, resolution: float) -> Sprite:
    """Reduce the drawing and shade the body as if round and lit from the upper left."""
    size = (drawing.size[0] // _OVERSAMPLING, drawing.size[1] // _OVERSAMPLING)
    opacity = cv2.resize(drawing.mask, size, interpolation=cv2.INTER_AREA)
    # Nothing is painted outside of the silhouette, so averages are premultiplied with opacity.
    painted = cv2.resize(drawing.colours, size, interpolation=cv2.INTER_AREA)
    unit = drawing.unit / _OVERSAMPLING
    depth = cv2.distanceTransform((opacity > 0).view(np.uint8), cv2.DIST_L2, 3)
    across = np.linspace(1.06, 0.9, size[0], dtype=np.float32)
    light = (0.68 + 0.32 * np.minimum(depth / (0.035 * unit), 1)) * across
    shaded = cv2.multiply(painted, cv2.merge([light] * 3), dtype=cv2.CV_8U)
    anchor = (_HALF_WIDTH * unit, (1.0 + _TOP) * unit)
    x, y = (head + (_HALF_WIDTH - 0.06, _TOP - 0.07)) * unit
    box = (float(x), float(y), 0.12 * unit, 0.14 * unit)
    return Sprite.from_drawing(shaded, opacity, anchor, resolution, box)
