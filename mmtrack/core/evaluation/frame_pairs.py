"""Boxes of ground truth and results that share a frame: the arrays every tracking metric reads.

All sequences lie in one flat table, so that a metric is a handful of array operations however
many sequences there are. Only pairs that overlap are kept; there are a few per box.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from .mot_table import MOTTable

# Cells of the padded (frame, gt, result) block compared at once: 256 kB per temporary array,
# so that a block stays in the processor's cache.
BLOCK_CELLS = 32768


@dataclass(frozen=True)
class TrackRows:
    """Boxes of one side, ground truth or results, ordered by sequence and frame.

    Attributes:
        frames: Index of the frame among the frames of all sequences, ``(N,)`` int64, ascending.
        tracks: Index of the track among the tracks of all sequences, ``(N,)`` int64.
        track_seqs: Index of the sequence each track belongs to, ``(T,)`` int64, ascending.
        source: Row of the concatenated input tables that each row came from, ``(N,)`` int64.
    """

    frames: np.ndarray
    tracks: np.ndarray
    track_seqs: np.ndarray
    source: np.ndarray

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def seqs(self) -> np.ndarray:
        """Sequence of each row, ``(N,)``."""
        return self.track_seqs[self.tracks]

    @property
    def track_lengths(self) -> np.ndarray:
        """Boxes of each track, ``(T,)``; 0 for a track whose rows were all filtered out."""
        return np.bincount(self.tracks, minlength=len(self.track_seqs))

    def keep(self, mask: np.ndarray) -> TrackRows:
        """Rows where ``mask (N,)`` holds; numbers of frames and tracks stay."""
        return TrackRows(self.frames[mask], self.tracks[mask], self.track_seqs, self.source[mask])


@dataclass(frozen=True)
class FramePairs:
    """Overlapping boxes of the same frame, sorted by frame, ground truth row and result row.

    Attributes:
        gt: Ground truth rows.
        results: Result rows.
        gt_rows: Row of ``gt`` of each pair, ``(P,)`` int64.
        result_rows: Row of ``results`` of each pair, ``(P,)`` int64.
        ious: Intersection over union of each pair, ``(P,)`` float64, above 0.
        num_seqs: Number of sequences, with those without any box.
    """

    gt: TrackRows
    results: TrackRows
    gt_rows: np.ndarray
    result_rows: np.ndarray
    ious: np.ndarray
    num_seqs: int

    def __len__(self) -> int:
        return len(self.ious)

    @property
    def frames(self) -> np.ndarray:
        """Frame of each pair, ``(P,)``."""
        return self.gt.frames[self.gt_rows]

    @property
    def gt_tracks(self) -> np.ndarray:
        """Ground truth track of each pair, ``(P,)``."""
        return self.gt.tracks[self.gt_rows]

    @property
    def result_tracks(self) -> np.ndarray:
        """Result track of each pair, ``(P,)``."""
        return self.results.tracks[self.result_rows]

    def keep(self, gt_mask: np.ndarray, result_mask: np.ndarray) -> FramePairs:
        """The pairs of the rows that stay.

        Args:
            gt_mask: Ground truth rows to keep, ``(N,)`` bool.
            result_mask: Result rows to keep, ``(M,)`` bool.
        """
        if gt_mask.all() and result_mask.all():
            return self
        stays = gt_mask[self.gt_rows] & result_mask[self.result_rows]
        return FramePairs(
            self.gt.keep(gt_mask),
            self.results.keep(result_mask),
            (np.cumsum(gt_mask) - 1)[self.gt_rows[stays]],
            (np.cumsum(result_mask) - 1)[self.result_rows[stays]],
            self.ious[stays],
            self.num_seqs,
        )


def pair_frames(
    gts: Sequence[MOTTable], results: Sequence[MOTTable], names: Sequence[str] | None = None
) -> FramePairs:
    """Find the overlapping boxes of every frame of several sequences.

    Args:
        gts: Ground truth, one table per sequence.
        results: Results of the same sequences in the same order.
        names: Names of the sequences for error messages; their numbers where omitted.

    Returns:
        Rows of both sides and their overlapping pairs. Rows of one frame keep the order of
        their table.

    Raises:
        ValueError: an id appears twice in a frame, or a box is not finite or has a negative
            size; the message names sequence, frame and id.
    """
    names = list(range(len(gts))) if names is None else list(names)
    frames = _number_frames(gts, results)
    sides = []
    for what, tables, side_frames in zip(
        ("ground truth", "results"), (gts, results), frames, strict=True
    ):
        boxes = np.concatenate([t.boxes for t in tables]) if tables else np.empty((0, 4))
        _check_boxes(what, tables, names, boxes)
        rows = _rows_of(tables, side_frames)
        _check_ids(what, tables, names, rows)
        sides.append((rows, boxes[rows.source]))
    (gt, gt_boxes), (res, res_boxes) = sides
    gt_rows, result_rows, shared = overlapping_pairs(gt_boxes, gt.frames, res_boxes, res.frames)
    union = box_areas(gt_boxes)[gt_rows] + box_areas(res_boxes)[result_rows] - shared
    return FramePairs(gt, res, gt_rows, result_rows, shared / union, len(gts))


def compact(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distinct values and the position of each value among them, as ``np.unique`` gives them.

    A lookup table replaces the sort where the values lie close together, as ids and frame
    numbers do.

    Args:
        values: Integers, ``(N,)``.

    Returns:
        Distinct values in ascending order ``(U,)`` and indices into them ``(N,)``, both int64.
    """
    if len(values) == 0:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    low, high = int(values.min()), int(values.max())
    if high - low > 4 * len(values) + 1024:
        return np.unique(values, return_inverse=True)
    seen = np.zeros(high - low + 1, bool)
    seen[values - low] = True
    return np.flatnonzero(seen) + low, (np.cumsum(seen) - 1)[values - low]


def overlapping_pairs(
    gt_boxes: np.ndarray, gt_frames: np.ndarray, res_boxes: np.ndarray, res_frames: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of boxes of the same frame whose intersection is not empty.

    Args:
        gt_boxes: ``(N, 4)``, x1, y1, width, height.
        gt_frames: Frame index of each box, ``(N,)``, ascending.
        res_boxes: ``(M, 4)``, x1, y1, width, height.
        res_frames: Frame index of each box, ``(M,)``, ascending.

    Returns:
        Row of ``gt_boxes (P,)``, row of ``res_boxes (P,)`` and intersection ``(P,)`` in square
        pixels of each pair, sorted by frame, first and second row.
    """
    if len(gt_boxes) == 0 or len(res_boxes) == 0:
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
    num_frames = int(max(gt_frames[-1], res_frames[-1])) + 1
    gt_counts = np.bincount(gt_frames, minlength=num_frames)
    res_counts = np.bincount(res_frames, minlength=num_frames)
    gt_starts = np.cumsum(gt_counts) - gt_counts
    res_starts = np.cumsum(res_counts) - res_counts
    # The row after the last one pads a frame: it lies right of and below everything and ends
    # left of and above everything, so that no box meets it.
    gt_edges, res_edges = _padded_edges(gt_boxes), _padded_edges(res_boxes)
    both = np.flatnonzero((gt_counts > 0) & (res_counts > 0))
    parts = []
    for start, stop in _blocks(gt_counts[both], res_counts[both]):
        block = both[start:stop]
        gt_rows = _rows_per_frame(gt_starts[block], gt_counts[block], len(gt_boxes))
        res_rows = _rows_per_frame(res_starts[block], res_counts[block], len(res_boxes))
        parts.append(_overlaps_of_block(gt_edges, res_edges, gt_rows, res_rows))
    if not parts:
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
    return tuple(np.concatenate(part) for part in zip(*parts, strict=True))


def box_areas(boxes: np.ndarray) -> np.ndarray:
    """Areas ``(N,)`` of x1, y1, width, height boxes, from rounded edges as trackeval has them."""
    edges = boxes[:, :2] + boxes[:, 2:]
    return (edges[:, 0] - boxes[:, 0]) * (edges[:, 1] - boxes[:, 1])


def _number_frames(
    gts: Sequence[MOTTable], results: Sequence[MOTTable]
) -> tuple[np.ndarray, np.ndarray]:
    """Frame index over all sequences of every row, for both sides."""
    numbers, first = ([], []), 0
    for gt, res in zip(gts, results, strict=True):
        values, index = compact(np.concatenate((gt.frames, res.frames)))
        numbers[0].append(first + index[: len(gt)])
        numbers[1].append(first + index[len(gt) :])
        first += len(values)
    empty = [np.empty(0, np.int64)]
    return np.concatenate(numbers[0] or empty), np.concatenate(numbers[1] or empty)


def _rows_of(tables: Sequence[MOTTable], frames: np.ndarray) -> TrackRows:
    tracks, track_seqs, first = [np.empty(0, np.int64)], [np.empty(0, np.int64)], 0
    for seq, table in enumerate(tables):
        ids, index = compact(table.ids)
        tracks.append(first + index)
        track_seqs.append(np.full(len(ids), seq))
        first += len(ids)
    tracks = np.concatenate(tracks)
    source = np.arange(len(frames))
    if np.any(np.diff(frames) < 0):
        source = np.argsort(frames, kind="stable")
    return TrackRows(frames[source], tracks[source], np.concatenate(track_seqs), source)


def _locate(tables: Sequence[MOTTable], row: int) -> tuple[int, int]:
    """Sequence and row within its table of a row of the concatenated tables."""
    ends = np.cumsum([len(t) for t in tables])
    seq = int(np.searchsorted(ends, row, side="right"))
    return seq, int(row - (ends[seq] - len(tables[seq])))


def _check_boxes(
    what: str, tables: Sequence[MOTTable], names: Sequence[str], boxes: np.ndarray
) -> None:
    wrong = ~np.isfinite(boxes).all(1) | (boxes[:, 2:] < 0).any(1)
    if not wrong.any():
        return
    row = int(np.flatnonzero(wrong)[0])
    seq, local = _locate(tables, row)
    table = tables[seq]
    raise ValueError(
        f"{what} of sequence {names[seq]}: frame {table.frames[local]}, id {table.ids[local]} has "
        f"the box {table.boxes[local].tolist()} (x, y, width, height); boxes must be finite with "
        "width and height of at least 0"
    )


def _check_ids(
    what: str, tables: Sequence[MOTTable], names: Sequence[str], rows: TrackRows
) -> None:
    for name, table in zip(names, tables, strict=True):
        if table.ids.min(initial=0) < 0:
            row = int(np.argmin(table.ids))
            raise ValueError(
                f"{what} of sequence {name}: frame {table.frames[row]} has id {table.ids[row]}, a "
                "detection without identity: run a tracker first"
            )
    keys = rows.frames * max(len(rows.track_seqs), 1) + rows.tracks
    ordered = np.sort(keys)
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    if len(twice) == 0:
        return
    seq, local = _locate(tables, rows.source[np.flatnonzero(keys == twice[0])[-1]])
    table = tables[seq]
    raise ValueError(
        f"{what} of sequence {names[seq]}: frame {table.frames[local]} contains id "
        f"{table.ids[local]} more than once; every id may appear once per frame"
    )


def _padded_edges(boxes: np.ndarray) -> np.ndarray:
    """x1, y1, x2, y2 with one row more that meets nothing, ``(N + 1, 4)``."""
    edges = np.empty((len(boxes) + 1, 4))
    edges[:-1, :2] = boxes[:, :2]
    edges[:-1, 2:] = boxes[:, :2] + boxes[:, 2:]
    edges[-1] = np.inf, np.inf, -np.inf, -np.inf
    return edges


def _blocks(gt_counts: np.ndarray, res_counts: np.ndarray) -> Iterator[tuple[int, int]]:
    """Cut frames into runs whose padded comparison stays within ``BLOCK_CELLS``."""
    start = widest_gt = widest_res = 0
    for index, (gts, results) in enumerate(
        zip(gt_counts.tolist(), res_counts.tolist(), strict=True)
    ):
        next_gt, next_res = max(widest_gt, gts), max(widest_res, results)
        if index > start and (index + 1 - start) * next_gt * next_res > BLOCK_CELLS:
            yield start, index
            start, next_gt, next_res = index, gts, results
        widest_gt, widest_res = next_gt, next_res
    if len(gt_counts) > start:
        yield start, len(gt_counts)


def _rows_per_frame(starts: np.ndarray, counts: np.ndarray, padding: int) -> np.ndarray:
    """Rows of each frame, ``(F, widest)``, filled up with the padding row."""
    offsets = np.arange(counts.max())
    return np.where(offsets < counts[:, None], starts[:, None] + offsets, padding)


def _overlaps_of_block(
    gt_edges: np.ndarray, res_edges: np.ndarray, gt_rows: np.ndarray, res_rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of both sides and areas of all intersections of a block of frames."""
    gt, res = gt_edges[gt_rows][:, :, None], res_edges[res_rows][:, None]
    widths = np.minimum(gt[..., 2], res[..., 2]) - np.maximum(gt[..., 0], res[..., 0])
    heights = np.minimum(gt[..., 3], res[..., 3]) - np.maximum(gt[..., 1], res[..., 1])
    frame, i, j = np.nonzero((widths > 0) & (heights > 0))
    intersections = widths[frame, i, j] * heights[frame, i, j]
    return gt_rows[frame, i], res_rows[frame, j], intersections
