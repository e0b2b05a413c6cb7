"""Linear interpolation of the gaps in tracks."""

from __future__ import annotations

import numpy as np

# Columns of a track table.
FRAME, ID, SCORE = 0, 1, 6
BOX = slice(2, 6)
# Tracks of at most this many boxes are taken for noise.
NOISE_LENGTH = 2


def interpolate_tracks(
    tracks: np.ndarray, min_num_frames: int = 5, max_num_frames: int = 20
) -> np.ndarray:
    """Fill the gaps of tracks linearly and remove tracks of one or two boxes.

    Args:
        tracks: ``(N, 7)``, frame, track id, x1, y1, x2, y2, score; in any order.
        min_num_frames: Only tracks with more boxes than this are filled.
        max_num_frames: Only gaps between frames less than this apart are filled.

    Returns:
        ``(M, 7)`` rows sorted by frame and id; filled rows have score 1. Where no track has more
        than two boxes, the table is returned unchanged.

    Raises:
        ValueError: the table has not 7 columns, a value is not finite, or an id appears twice in
            a frame; the message names frame and id.

    Reference: Zhang et al., "ByteTrack: Multi-Object Tracking by Associating Every Detection
    Box", ECCV 2022, section 4.1.
    """
    tracks = np.asarray(tracks)
    if tracks.ndim != 2 or tracks.shape[1] != SCORE + 1:
        raise ValueError(
            f"tracks have shape {tracks.shape}; expected (N, 7): frame, id, x1, y1, x2, y2, score"
        )
    if not np.isfinite(tracks).all():
        row = tracks[~np.isfinite(tracks).all(1)][0]
        raise ValueError(f"frame {row[FRAME]:g}, track {row[ID]:g} is not finite: {row.tolist()}")
    rows = tracks[np.lexsort((tracks[:, FRAME], tracks[:, ID]))]
    _, which, lengths = np.unique(rows[:, ID], return_inverse=True, return_counts=True)
    lengths = lengths[which]
    long = lengths > NOISE_LENGTH
    if not long.any():
        return tracks.copy()
    rows, which, lengths = rows[long], which[long], lengths[long]
    same = which[1:] == which[:-1]
    steps = np.rint(np.diff(rows[:, FRAME])).astype(np.int64)
    _check_unique(rows, same & (steps == 0))
    fill = same & (steps > 1) & (steps < max_num_frames) & (lengths[1:] > min_num_frames)
    table = np.concatenate((rows, _between(rows, np.flatnonzero(fill), steps)))
    return table[np.lexsort((table[:, ID], table[:, FRAME]))]


def _between(rows: np.ndarray, left: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Rows between ``rows[left]`` and ``rows[left + 1]``, one for each frame skipped."""
    missing = steps[left] - 1
    start = np.repeat(left, missing)
    number = np.arange(len(start)) - np.repeat(np.cumsum(missing) - missing, missing) + 1
    share = (number / steps[start])[:, None]
    filled = rows[start].copy()
    filled[:, FRAME] += number
    filled[:, BOX] += share * (rows[start + 1, BOX] - rows[start, BOX])
    filled[:, SCORE] = 1
    return filled


def _check_unique(rows: np.ndarray, twice: np.ndarray) -> None:
    if twice.any():
        row = rows[np.flatnonzero(twice)[0]]
        raise ValueError(f"frame {row[FRAME]:g} contains track {row[ID]:g} more than once")
