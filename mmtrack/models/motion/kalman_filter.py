"""The Kalman filter as a registered motion model with one call per track."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

import numpy as np
import torch

from mmtrack.core.motion import kalman_filter as batched

from ..builder import MOTION


@MOTION.register_module()
class KalmanFilter:
    """Constant-velocity Kalman filter of one box in (cx, cy, a, h) and its velocities.

    These calls take one track and a full covariance, which may have any cross terms. Trackers of
    this package filter all tracks at once with :mod:`mmtrack.core.motion.kalman_filter`, which
    documents the model.

    Args:
        center_only: Gate measurements by their centre alone.
    """

    chi2inv95 = batched.CHI2_95

    def __init__(self, center_only: bool = False):
        self.center_only = center_only

    @property
    def gating_threshold(self) -> float:
        """Largest squared Mahalanobis distance that :meth:`track` accepts."""
        return self.chi2inv95[2 if self.center_only else 4]

    def initiate(self, measurement: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """State of a new track, at rest.

        Args:
            measurement: ``(4,)``, cx, cy, a, h.

        Returns:
            Mean ``(8,)`` and covariance ``(8, 8)``.
        """
        means, covs = batched.initiate(np.asarray(measurement)[None])
        return means[0], batched.expand_covariances(covs)[0]

    def predict(self, mean: np.ndarray, covariance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """State one frame later.

        Args:
            mean: ``(8,)``.
            covariance: ``(8, 8)``.

        Returns:
            Predicted mean ``(8,)`` and covariance ``(8, 8)``.
        """
        motion = np.eye(8) + np.eye(8, k=4)
        noise = np.concatenate(
            (
                batched.noise_variance(mean[3], batched.POSITION_WEIGHT, batched.RATIO_STD),
                batched.noise_variance(
                    mean[3], batched.VELOCITY_WEIGHT, batched.RATIO_VELOCITY_STD
                ),
            )
        )
        return motion @ mean, motion @ covariance @ motion.T + np.diag(noise)

    def project(self, mean: np.ndarray, covariance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Distribution of the expected measurement.

        Args:
            mean: ``(8,)``.
            covariance: ``(8, 8)``.

        Returns:
            Expected cx, cy, a, h ``(4,)`` and their covariance ``(4, 4)``.
        """
        noise = batched.noise_variance(
            mean[3], batched.POSITION_WEIGHT, batched.RATIO_MEASUREMENT_STD
        )
        return mean[:4], covariance[:4, :4] + np.diag(noise)

    def update(
        self, mean: np.ndarray, covariance: np.ndarray, measurement: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """State corrected by a measurement.

        Args:
            mean: Predicted mean, ``(8,)``.
            covariance: Predicted covariance, ``(8, 8)``.
            measurement: ``(4,)``, cx, cy, a, h.

        Returns:
            Mean ``(8,)`` and covariance ``(8, 8)``.
        """
        expected, spread = self.project(mean, covariance)
        gain = np.linalg.solve(spread, covariance[:4]).T
        corrected = mean + gain @ (np.asarray(measurement) - expected)
        return corrected, covariance - gain @ spread @ gain.T

    def gating_distance(
        self,
        mean: np.ndarray,
        covariance: np.ndarray,
        measurements: np.ndarray,
        only_position: bool = False,
    ) -> np.ndarray:
        """Squared Mahalanobis distance of measurements from one track.

        Args:
            mean: ``(8,)``.
            covariance: ``(8, 8)``.
            measurements: ``(N, 4)``, cx, cy, a, h.
            only_position: Compare the centres alone.

        Returns:
            ``(N,)``, chi-square distributed with 4 degrees of freedom, or 2 for positions only.
        """
        expected, spread = self.project(mean, covariance)
        dims = 2 if only_position else 4
        offset = (np.asarray(measurements)[:, :dims] - expected[:dims]).T
        return np.sum(offset * np.linalg.solve(spread[:dims, :dims], offset), axis=0)

    def track(
        self, tracks: MutableMapping[int, Any], bboxes: torch.Tensor | np.ndarray
    ) -> tuple[MutableMapping[int, Any], np.ndarray]:
        """Predict every track and compare it with the detections.

        Args:
            tracks: Track of each id, with attributes ``mean`` and ``covariance``, which are
                replaced by the predicted ones.
            bboxes: Detections, ``(M, 4)``, cx, cy, a, h.

        Returns:
            The tracks, and squared Mahalanobis distances ``(N, M)`` in the order of the tracks,
            NaN where a detection is further away than 95 % of the true ones.
        """
        if isinstance(bboxes, torch.Tensor):
            bboxes = bboxes.detach().cpu().numpy()
        costs = np.empty((len(tracks), len(bboxes)))
        for row, track in enumerate(tracks.values()):
            track.mean, track.covariance = self.predict(track.mean, track.covariance)
            costs[row] = self.gating_distance(
                track.mean, track.covariance, bboxes, self.center_only
            )
        costs[costs > self.gating_threshold] = np.nan
        return tracks, costs

    def initiate_all(self, measurements: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """States of new tracks; see :func:`mmtrack.core.motion.kalman_filter.initiate`."""
        return batched.initiate(measurements)

    def predict_all(self, means: np.ndarray, covs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """States one frame later; see :func:`mmtrack.core.motion.kalman_filter.predict`."""
        return batched.predict(means, covs)

    def update_all(
        self, means: np.ndarray, covs: np.ndarray, measurements: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Corrected states; see :func:`mmtrack.core.motion.kalman_filter.update`."""
        return batched.update(means, covs, measurements)

    def gate_all(self, means: np.ndarray, covs: np.ndarray, measurements: np.ndarray) -> np.ndarray:
        """Whether each measurement is where each track may be, ``(N, M)`` bool."""
        distances = batched.gating_distance(
            means, covs, measurements, only_position=self.center_only
        )
        return distances <= self.gating_threshold
