"""Which frames of a video accompany a key frame."""

from __future__ import annotations

import random
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

TEST_METHODS = ("test_with_adaptive_stride", "test_with_fix_stride")
METHODS = ("uniform", "bilateral_uniform", *TEST_METHODS)


def check_sampler(sampler: Mapping[str, Any], *, reset_count: bool = True) -> dict[str, Any]:
    """Check a ``ref_img_sampler`` and write its range as ``[left, right]``.

    Args:
        sampler: Arguments of ``CocoVideoDataset.ref_img_sampling``.
        reset_count: Set ``num_ref_imgs`` of the test methods to the length of the range, with a
            warning where it differs.

    Raises:
        ValueError: an argument has a value that it cannot have.
    """
    sampler = dict(sampler)
    frame_range = sampler.get("frame_range")
    if isinstance(frame_range, int) and frame_range >= 0:
        frame_range = [-frame_range, frame_range]
    if not _is_range(frame_range):
        raise ValueError(
            f"ref_img_sampler: frame_range must be a number n >= 0 or [left <= 0, right >= 0], "
            f"got {sampler.get('frame_range')}."
        )
    sampler["frame_range"] = list(frame_range)
    method = sampler.get("method", "uniform")
    count = sampler.get("num_ref_imgs", 1)
    if method not in METHODS:
        raise ValueError(f"ref_img_sampler: method must be one of {METHODS}, got {method!r}.")
    if method == "bilateral_uniform" and count % 2:
        raise ValueError(
            f"ref_img_sampler: bilateral_uniform needs an even num_ref_imgs, got {count}."
        )
    if sampler.get("stride", 1) < 1:
        raise ValueError(f"ref_img_sampler: stride must be positive, got {sampler['stride']}.")
    length = frame_range[1] - frame_range[0]
    if reset_count and method in TEST_METHODS and length and count != length:
        warnings.warn(
            f"ref_img_sampler: {method} uses {length} references for the range {frame_range}, "
            f"instead of num_ref_imgs={count}."
        )
        sampler["num_ref_imgs"] = length
    return sampler


def _is_range(frame_range: Any) -> bool:
    """Whether a value is ``[left <= 0, right >= 0]``."""
    if not isinstance(frame_range, Sequence) or len(frame_range) != 2:
        return False
    return (
        all(isinstance(end, int) for end in frame_range) and frame_range[0] <= 0 <= frame_range[1]
    )


def sample_references(
    frame_id: int,
    num_frames: int,
    frame_range: Sequence[int],
    stride: int = 1,
    num_ref_imgs: int = 1,
    filter_key_img: bool = True,
    method: str = "uniform",
) -> list[int]:
    """Frames to go with a key frame, in any order; see ``CocoVideoDataset.ref_img_sampling``.

    Args:
        frame_id: The key frame.
        num_frames: Length of the video.
        frame_range: ``[left, right]``.
        stride: Distance of the references of ``'test_with_fix_stride'``.
        num_ref_imgs: Number of references.
        filter_key_img: The key frame is no reference.
        method: One of ``METHODS``.
    """
    last = num_frames - 1
    if method == "test_with_adaptive_stride":
        return _spread(num_ref_imgs, last) if frame_id == 0 else []
    if method == "test_with_fix_stride":
        return _fixed_stride(frame_id, last, frame_range, stride)
    left = max(0, frame_id + frame_range[0])
    right = min(last, frame_id + frame_range[1])
    if method == "uniform":
        sides = [(range(left, right + 1), num_ref_imgs)]
    else:
        half = num_ref_imgs // 2
        sides = [(range(left, frame_id + 1), half), (range(frame_id, right + 1), half)]
    frames = []
    for side, count in sides:
        side = [frame for frame in side if not filter_key_img or frame != frame_id]
        frames += random.sample(side, min(count, len(side)))
    return frames


def _spread(count: int, last: int) -> list[int]:
    """``count`` frames spread evenly from 0 to ``last``, both included."""
    return [round(i * last / max(count - 1, 1)) for i in range(count)]


def _fixed_stride(frame_id: int, last: int, frame_range: Sequence[int], stride: int) -> list[int]:
    """Frames that have to be added to a sliding window around the key frame."""
    left, right = frame_range
    if frame_id == 0:
        ahead = [min(round(i * stride), last) for i in range(1, right + 1)]
        return [0] * (1 - left) + ahead
    if frame_id % stride == 0:
        return [min(round(frame_id + right * stride), last)]
    return []
