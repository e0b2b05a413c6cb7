"""Poses of a walking, standing, sitting or dancing body as joints in three dimensions.

Unit: body height. Axes: forward, to the body's left, down; the origin lies above the point
between the feet at the top of the head.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

HIP, SHOULDER, NECK, HEAD = 0.50, 0.19, 0.155, 0.075
THIGH, SHIN, UPPER_ARM, FOREARM, FOOT = 0.245, 0.225, 0.165, 0.15, 0.075
HIP_HALF, SHOULDER_HALF = 0.045, 0.108
WALK_PHASES = 12
DANCE_PHASES = 16


@dataclass(frozen=True)
class Pose:
    """Angles of the limbs in radians; pairs are (left, right).

    Attributes:
        hips: Thigh swung forward from hanging down.
        knees: Shin bent backward from the thigh.
        legs_apart: Thigh lifted sideways.
        shoulders: Upper arm swung forward from hanging down.
        elbows: Forearm bent forward from the upper arm.
        arms_apart: Arm lifted sideways.
    """

    hips: tuple[float, float] = (0.0, 0.0)
    knees: tuple[float, float] = (0.0, 0.0)
    legs_apart: tuple[float, float] = (0.04, 0.04)
    shoulders: tuple[float, float] = (0.0, 0.0)
    elbows: tuple[float, float] = (0.15, 0.15)
    arms_apart: tuple[float, float] = (0.12, 0.12)


STANDING = Pose()
SITTING = Pose(hips=(1.45, 1.4), knees=(1.45, 1.4), shoulders=(0.5, 0.45), elbows=(0.7, 0.75))


def walking(phase: int) -> Pose:
    """One of ``WALK_PHASES`` poses of a stride; arms swing against the legs."""
    turn = 2 * np.pi * phase / WALK_PHASES
    swing = np.sin([turn, turn + np.pi])
    # The knee bends while its leg travels forward.
    bend = np.clip(np.cos([turn, turn + np.pi]), 0, None)
    return Pose(
        hips=tuple(0.48 * swing),
        knees=tuple(0.12 + 0.75 * bend),
        shoulders=tuple(-0.42 * swing),
        elbows=tuple(0.25 + 0.25 * np.clip(-swing, 0, None)),
    )


def dancing(phase: int) -> Pose:
    """One of ``DANCE_PHASES`` poses of a dance; arms reach up, knees give way."""
    turn = 2 * np.pi * phase / DANCE_PHASES
    sway, beat = np.sin([turn, turn + 2.2]), np.cos([2 * turn, 2 * turn + 1.1])
    return Pose(
        hips=tuple(0.35 + 0.4 * beat),
        knees=tuple(0.45 + 0.45 * beat),
        legs_apart=tuple(0.22 + 0.18 * sway),
        shoulders=tuple(0.5 * beat),
        elbows=tuple(0.6 + 0.5 * sway),
        arms_apart=tuple(1.35 + 1.1 * sway),
    )


def _chain(start: np.ndarray, side: float, lengths: tuple, angles: tuple, apart: float) -> list:
    """Joints of a limb of two segments, from its root."""
    points = [start]
    for length, angle in zip(lengths, angles, strict=True):
        direction = np.array(
            [
                np.sin(angle) * np.cos(apart),
                side * np.sin(apart),
                np.cos(angle) * np.cos(apart),
            ]
        )
        points.append(points[-1] + length * direction)
    return points


def joints(pose: Pose) -> dict[str, np.ndarray]:
    """Positions ``(3,)`` of all joints, with the lower foot on the ground (down = 1)."""
    found = {
        "head": np.array([0.02, 0.0, HEAD]),
        "neck": np.array([0.0, 0.0, NECK]),
        "chest": np.array([0.0, 0.0, SHOULDER]),
        "pelvis": np.array([0.0, 0.0, HIP]),
    }
    for index, (name, side) in enumerate((("left", 1.0), ("right", -1.0))):
        hip = np.array([0.0, side * HIP_HALF, HIP])
        thigh = pose.hips[index]
        leg = _chain(
            hip, side, (THIGH, SHIN), (thigh, thigh - pose.knees[index]), pose.legs_apart[index]
        )
        shoulder = np.array([0.0, side * SHOULDER_HALF, SHOULDER + 0.01])
        arm_angle = pose.shoulders[index]
        arm = _chain(
            shoulder,
            side,
            (UPPER_ARM, FOREARM),
            (arm_angle, arm_angle + pose.elbows[index]),
            pose.arms_apart[index],
        )
        toe = leg[2] + np.array([FOOT, 0.0, 0.012])
        parts = ("hip", "knee", "ankle", "toe", "shoulder", "elbow", "hand")
        for part, point in zip(parts, (*leg, toe, *arm), strict=True):
            found[f"{name}_{part}"] = point
    lowest = max(found["left_ankle"][2], found["right_ankle"][2])
    drop = np.array([0.0, 0.0, 0.975 - lowest])
    return {name: point + drop for name, point in found.items()}
