"""The constant-velocity Kalman filter of SORT and DeepSORT, one track at a time.

State (cx, cy, a, h, vcx, vcy, va, vh) with a = width / height; textbook matrices and
``scipy.linalg`` solves, as the methods' papers describe it (Wojke et al., "Simple Online and
Realtime Tracking with a Deep Association Metric", ICIP 2017, section 2.1).
"""

import numpy as np
import scipy.linalg

POSITION_STD = 1 / 20
VELOCITY_STD = 1 / 160


class PlainKalmanFilter:
    """Predict and update a single track; every call builds what it needs."""

    def __init__(self):
        self.motion = np.eye(8)
        self.motion[:4, 4:] = np.eye(4)
        self.observe = np.eye(4, 8)

    def initiate(self, measurement):
        h = measurement[3]
        mean = np.concatenate((measurement, np.zeros(4)))
        std = [
            2 * POSITION_STD * h, 2 * POSITION_STD * h, 1e-2, 2 * POSITION_STD * h,
            10 * VELOCITY_STD * h, 10 * VELOCITY_STD * h, 1e-5, 10 * VELOCITY_STD * h,
        ]  # fmt: skip
        return mean, np.diag(np.square(std))

    def predict(self, mean, covariance):
        h = mean[3]
        std = [
            POSITION_STD * h, POSITION_STD * h, 1e-2, POSITION_STD * h,
            VELOCITY_STD * h, VELOCITY_STD * h, 1e-5, VELOCITY_STD * h,
        ]  # fmt: skip
        mean = self.motion @ mean
        covariance = self.motion @ covariance @ self.motion.T + np.diag(np.square(std))
        return mean, covariance

    def project(self, mean, covariance, inflation=None):
        h = mean[3]
        noise = np.square([POSITION_STD * h, POSITION_STD * h, 1e-1, POSITION_STD * h])
        return self.observe @ mean, self.observe @ covariance @ self.observe.T + np.diag(noise)

    def update(self, mean, covariance, measurement):
        projected_mean, projected_cov = self.project(mean, covariance)
        gain = scipy.linalg.solve(projected_cov, (covariance @ self.observe.T).T, assume_a="pos").T
        mean = mean + gain @ (measurement - projected_mean)
        covariance = covariance - gain @ projected_cov @ gain.T
        return mean, covariance
