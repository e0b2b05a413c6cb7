"""Interpolation of tracks, against a loop with numpy.interp."""

import numpy as np
import pytest

from mmtrack.core.track import interpolate_tracks


def make_tracks(seed, count=8, frames=80):
    """Rows (frame, id, x1, y1, x2, y2, score) with gaps, shuffled."""
    rng = np.random.default_rng(seed)
    rows = []
    for ident in range(count):
        times = np.flatnonzero(rng.random(frames) < rng.choice([0.05, 0.3, 0.9]))
        times = times[(times // rng.integers(3, 30)) % 2 == 0]
        rows += [(t, ident, *rng.uniform(0, 300, 4), rng.random()) for t in times]
    rows = np.array(rows).reshape(-1, 7)
    return rows[rng.permutation(len(rows))]


def loop_over_tracks(tracks, min_num_frames, max_num_frames):
    rows = []
    for ident in np.unique(tracks[:, 1]):
        track = tracks[tracks[:, 1] == ident]
        track = track[np.argsort(track[:, 0])]
        if len(track) <= 2:
            continue
        rows += track.tolist()
        times = track[:, 0]
        for left, right in zip(times[:-1], times[1:], strict=True):
            if len(track) > min_num_frames and right - left < max_num_frames:
                for t in np.arange(left + 1, right):
                    box = [np.interp(t, times, track[:, c]) for c in range(2, 6)]
                    rows.append([t, ident, *box, 1.0])
    return np.array(sorted(rows, key=lambda r: (r[0], r[1])))


@pytest.mark.parametrize("limits", [(5, 20), (3, 8), (0, 2), (30, 40)])
@pytest.mark.parametrize("seed", range(4))
def test_equals_a_loop(seed, limits):
    tracks = make_tracks(seed)
    before = tracks.copy()
    found = interpolate_tracks(tracks, *limits)
    np.testing.assert_allclose(found, loop_over_tracks(tracks, *limits), rtol=1e-12)
    np.testing.assert_array_equal(tracks, before)


def line(frames, ident=1):
    return np.array([[t, ident, t, 0, t + 10, 10, 0.5] for t in frames], float)


def test_a_gap_is_filled_along_the_line():
    found = interpolate_tracks(line([1, 2, 3, 4, 5, 9]))
    np.testing.assert_allclose(found[:, 2], np.arange(1, 10))
    assert found[:, 6].tolist() == [0.5] * 5 + [1.0] * 3 + [0.5]


@pytest.mark.parametrize(("right", "rows"), [(24, 24), (25, 6)], ids=["19-apart", "20-apart"])
def test_longest_gap(right, rows):
    assert len(interpolate_tracks(line([1, 2, 3, 4, 5, right]))) == rows


@pytest.mark.parametrize(("count", "filled"), [(5, False), (6, True)])
def test_shortest_track(count, filled):
    found = interpolate_tracks(line([*range(count - 1), count]))
    assert (len(found) > count) == filled


def test_tracks_of_two_boxes_vanish_beside_longer_ones():
    found = interpolate_tracks(np.concatenate((line([1, 2, 3]), line([1, 2], ident=2))))
    assert np.unique(found[:, 1]).tolist() == [1]


@pytest.mark.parametrize(
    "tracks",
    [np.empty((0, 7)), line([4, 9]), np.concatenate((line([4, 9]), line([3], ident=0)))],
    ids=["no-track", "two-boxes", "only-short-tracks"],
)
def test_nothing_to_fill_is_returned_unchanged(tracks):
    found = interpolate_tracks(tracks)
    np.testing.assert_array_equal(found, tracks)
    assert found is not tracks


@pytest.mark.parametrize(
    ("tracks", "message"),
    [
        (np.zeros((3, 6)), r"shape \(3, 6\); expected \(N, 7\)"),
        (line([1, 2, 2]), "frame 2 contains track 1 more than once"),
        (line([1, 2, np.nan]), "frame nan, track 1 is not finite"),
    ],
    ids=["columns", "doubled", "nan"],
)
def test_bad_input_is_named(tracks, message):
    with pytest.raises(ValueError, match=message):
        interpolate_tracks(tracks)
