"""The batched closed form against the textbook filter and scipy."""

import numpy as np
import pytest
from scipy.spatial.distance import mahalanobis
from scipy.stats import chi2

from mmtrack.core.motion import kalman_filter as batched
from mmtrack.models.motion import KalmanFilter


def measurements(count, seed):
    rng = np.random.default_rng(seed)
    return np.column_stack((
        rng.uniform(0, 500, (count, 2)), rng.uniform(0.2, 0.8, count), rng.uniform(30, 200, count)
    ))  # fmt: skip


def textbook_step(mean, cov, z):
    """One predict and update with full matrices and explicit inverses."""
    h = mean[3]
    f = np.block([[np.eye(4), np.eye(4)], [np.zeros((4, 4)), np.eye(4)]])
    q = np.diag(np.square([h / 20, h / 20, 1e-2, h / 20, h / 160, h / 160, 1e-5, h / 160]))
    mean, cov = f @ mean, f @ cov @ f.T + q
    h = mean[3]
    observe = np.eye(4, 8)
    spread = observe @ cov @ observe.T + np.diag(np.square([h / 20, h / 20, 1e-1, h / 20]))
    gain = cov @ observe.T @ np.linalg.inv(spread)
    return mean + gain @ (z - mean[:4]), (np.eye(8) - gain @ observe) @ cov


def test_closed_form_equals_the_textbook_filter_over_many_steps():
    first = measurements(20, 0)
    means, covs = batched.initiate(first)
    model = KalmanFilter()
    singles = [model.initiate(m) for m in first]
    rng = np.random.default_rng(1)
    for step in range(15):
        z = first + step * np.array([3, -2, 0.001, 0.5]) + rng.normal(0, [1, 1, 0.01, 1], (20, 4))
        means, covs = batched.update(*batched.predict(means, covs), z)
        singles = [textbook_step(m, p, zi) for (m, p), zi in zip(singles, z, strict=True)]
    np.testing.assert_allclose(means, [m for m, _ in singles], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(
        batched.expand_covariances(covs), [p for _, p in singles], rtol=1e-8, atol=1e-10
    )


def test_single_calls_agree_with_the_batch_and_take_any_covariance():
    model = KalmanFilter()
    mean, cov = model.initiate(np.array([10.0, 20, 0.5, 40]))
    rng = np.random.default_rng(2)
    noise = rng.normal(size=(8, 8))
    cov = cov + noise @ noise.T
    z = np.array([12.0, 21, 0.5, 41])
    want_mean, want_cov = textbook_step(mean, cov, z)
    mean, cov = model.update(*model.predict(mean, cov), z)
    np.testing.assert_allclose(mean, want_mean)
    np.testing.assert_allclose(cov, want_cov)


@pytest.mark.parametrize("only_position", [False, True])
def test_gating_distance_is_the_squared_mahalanobis_distance(only_position):
    means, covs = batched.predict(*batched.initiate(measurements(5, 3)))
    z = measurements(7, 4)
    found = batched.gating_distance(means, covs, z, only_position=only_position)
    dims = 2 if only_position else 4
    expected, variance = batched.project(means, covs)
    for i in range(5):
        inverse = np.linalg.inv(np.diag(variance[i, :dims]))
        want = [mahalanobis(row[:dims], expected[i, :dims], inverse) ** 2 for row in z]
        np.testing.assert_allclose(found[i], want)


def test_gates_are_quantiles_of_the_chi_square_distribution():
    for freedom, value in batched.CHI2_95.items():
        assert value == pytest.approx(chi2.ppf(0.95, freedom), rel=1e-12)
    assert KalmanFilter(center_only=True).gating_threshold == batched.CHI2_95[2]


def test_no_tracks_and_inputs_untouched():
    means, covs = batched.initiate(np.zeros((0, 4)))
    means, covs = batched.update(*batched.predict(means, covs), np.zeros((0, 4)))
    assert means.shape == (0, 8)
    assert covs.shape == (0, 3, 4)
    means, covs = batched.initiate(measurements(2, 5))
    before = means.copy(), covs.copy()
    batched.update(*batched.predict(means, covs), measurements(2, 6))
    np.testing.assert_array_equal(means, before[0])
    np.testing.assert_array_equal(covs, before[1])
