"""Constant-velocity Kalman filter of boxes, for all tracks at once.

The state of a track is (cx, cy, a, h) and the velocities of the four. Motion and measurement act
on each of the four alone and the noise is diagonal, so a covariance that starts diagonal stays a
set of four 2x2 matrices: the 8x8 filter is four small ones with a closed form. ``covs`` holds them
as ``(N, 3, 4)``: variance of the position, covariance of position and velocity, variance of the
velocity, each for cx, cy, a, h.

Reference: Kalman, "A New Approach to Linear Filtering and Prediction Problems", 1960. Noise as in
Wojke et al., "Simple Online and Realtime Tracking with a Deep Association Metric", ICIP 2017,
section 2.1: standard deviations of places and sizes are in proportion to the height of the box.
"""

from __future__ import annotations

import numpy as np

POSITION_WEIGHT = 1 / 20
VELOCITY_WEIGHT = 1 / 160
RATIO_STD = 1e-2
RATIO_VELOCITY_STD = 1e-5
RATIO_MEASUREMENT_STD = 1e-1

# 0.95 quantile of the chi-square distribution by degrees of freedom (scipy.stats.chi2.ppf).
CHI2_95 = {
    1: 3.841458820694124,
    2: 5.991464547107979,
    3: 7.814727903251179,
    4: 9.487729036781154,
}


def noise_variance(heights: np.ndarray, weight: float, ratio_std: float) -> np.ndarray:
    """Variance of (cx, cy, a, h), ``(..., 4)``: in proportion to the height but for the ratio.

    Args:
        heights: Height of each box in pixels, ``(...)``.
        weight: Standard deviation of cx, cy and h as a part of the height.
        ratio_std: Standard deviation of the aspect ratio.
    """
    heights = np.asarray(heights)
    variance = np.empty((*heights.shape, 4), dtype=np.float64)
    variance[...] = np.square(weight * heights)[..., None]
    variance[..., 2] = ratio_std**2
    return variance


def initiate(measurements: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """States of new tracks, at rest.

    Args:
        measurements: ``(N, 4)``, cx, cy, a, h.

    Returns:
        Means ``(N, 8)`` and covariances ``(N, 3, 4)``, float64.
    """
    measurements = np.asarray(measurements, dtype=np.float64)
    means = np.concatenate((measurements, np.zeros_like(measurements)), axis=1)
    covs = np.zeros((len(means), 3, 4))
    heights = measurements[:, 3]
    covs[:, 0] = noise_variance(heights, 2 * POSITION_WEIGHT, RATIO_STD)
    covs[:, 2] = noise_variance(heights, 10 * VELOCITY_WEIGHT, RATIO_VELOCITY_STD)
    return means, covs


def predict(means: np.ndarray, covs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """States one frame later.

    Args:
        means: ``(N, 8)``.
        covs: ``(N, 3, 4)``.

    Returns:
        Predicted means ``(N, 8)`` and covariances ``(N, 3, 4)``; the inputs are not changed.
    """
    heights = means[:, 3]
    predicted = means.copy()
    predicted[:, :4] += means[:, 4:]
    new_covs = covs.copy()
    new_covs[:, 0] += 2 * covs[:, 1] + covs[:, 2]
    new_covs[:, 0] += noise_variance(heights, POSITION_WEIGHT, RATIO_STD)
    new_covs[:, 1] += covs[:, 2]
    new_covs[:, 2] += noise_variance(heights, VELOCITY_WEIGHT, RATIO_VELOCITY_STD)
    return predicted, new_covs


def project(means: np.ndarray, covs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distribution of the measurement that is expected of each track.

    Args:
        means: ``(N, 8)``.
        covs: ``(N, 3, 4)``.

    Returns:
        Expected cx, cy, a, h ``(N, 4)`` and their variances ``(N, 4)``.
    """
    noise = noise_variance(means[:, 3], POSITION_WEIGHT, RATIO_MEASUREMENT_STD)
    return means[:, :4], covs[:, 0] + noise


def update(
    means: np.ndarray, covs: np.ndarray, measurements: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """States corrected by one measurement each.

    Args:
        means: Predicted means, ``(N, 8)``.
        covs: Predicted covariances, ``(N, 3, 4)``.
        measurements: ``(N, 4)``, cx, cy, a, h.

    Returns:
        Means ``(N, 8)`` and covariances ``(N, 3, 4)``; the inputs are not changed.
    """
    expected, variance = project(means, covs)
    innovation = measurements - expected
    gains = covs[:, :2] / variance[:, None]
    new_means = means.copy()
    new_means[:, :4] += gains[:, 0] * innovation
    new_means[:, 4:] += gains[:, 1] * innovation
    new_covs = covs.copy()
    new_covs[:, :2] -= gains[:, :1] * covs[:, :2]
    new_covs[:, 2] -= gains[:, 1] * covs[:, 1]
    return new_means, new_covs


def gating_distance(
    means: np.ndarray, covs: np.ndarray, measurements: np.ndarray, *, only_position: bool = False
) -> np.ndarray:
    """Squared Mahalanobis distance of every measurement from every track.

    Args:
        means: ``(N, 8)``.
        covs: ``(N, 3, 4)``.
        measurements: ``(M, 4)``, cx, cy, a, h.
        only_position: Compare the centres alone.

    Returns:
        ``(N, M)``, chi-square distributed with 4 degrees of freedom, or 2 for positions only.
    """
    expected, variance = project(means, covs)
    parts = slice(0, 2 if only_position else 4)
    offset = measurements[None, :, parts] - expected[:, None, parts]
    return np.sum(np.square(offset) / variance[:, None, parts], axis=-1)


def expand_covariances(covs: np.ndarray) -> np.ndarray:
    """Covariances ``(N, 3, 4)`` as full matrices ``(N, 8, 8)``."""
    full = np.zeros((len(covs), 8, 8))
    at = np.arange(4)
    full[:, at, at] = covs[:, 0]
    full[:, at, at + 4] = covs[:, 1]
    full[:, at + 4, at] = covs[:, 1]
    full[:, at + 4, at + 4] = covs[:, 2]
    return full
