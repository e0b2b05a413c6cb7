"""SORT, ByteTrack and OC-SORT as their papers tell them: one Python object per track.

Written for reading, not for speed. The trackers of the package must give the same ids, and
``tools/analysis/bench/bench_trackers.py`` measures them side by side.

References:
    Bewley et al., "Simple Online and Realtime Tracking", ICIP 2016.
    Zhang et al., "ByteTrack: Multi-Object Tracking by Associating Every Detection Box", ECCV 2022.
    Cao et al., "Observation-Centric SORT", CVPR 2023.
"""

import lap
import numpy as np
from scipy.optimize import linear_sum_assignment

from oracles.plain_kalman import PlainKalmanFilter


def to_cxcyah(box):
    width, height = box[2] - box[0], box[3] - box[1]
    return np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2, width / height, height])


def to_xyxy(state):
    width = state[2] * state[3]
    return np.array([
        state[0] - width / 2, state[1] - state[3] / 2,
        state[0] + width / 2, state[1] + state[3] / 2,
    ])  # fmt: skip


def overlaps(a, b):
    """IoU of all pairs, (len(a), len(b))."""
    a = np.asarray(a, float).reshape(-1, 1, 4)
    b = np.asarray(b, float).reshape(1, -1, 4)
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    inter = sides.clip(0).prod(-1)
    union = (a[..., 2:] - a[..., :2]).prod(-1) + (b[..., 2:] - b[..., :2]).prod(-1) - inter
    return inter / np.maximum(union, 1e-6)


def assign(cost, limit):
    """Optimal pairs (row, column) with a cost below the limit."""
    if cost.size == 0:
        return []
    _, columns, _ = lap.lapjv(cost, extend_cost=True, cost_limit=limit)
    return [(row, column) for row, column in enumerate(columns) if column >= 0]


def assign_then_gate(cost, limit):
    """Optimal pairs of all, then those that cost too much are refused (SORT, section 3.3)."""
    rows, columns = linear_sum_assignment(cost) if cost.size else ([], [])
    return [(i, j) for i, j in zip(rows, columns, strict=True) if cost[i, j] <= limit]


class Track:
    """State of one object."""

    growing_frames = 1  # so long after its last detection a box may grow or shrink

    def __init__(self, ident, box, score, label, frame, kalman, confirmed):
        self.id, self.label, self.score = ident, label, score
        self.kalman = kalman
        self.mean, self.covariance = kalman.initiate(to_cxcyah(box))
        self.hits, self.last_box = 1, box
        self.last_frame = frame
        self.confirmed = confirmed

    def predict(self, frame):
        if frame - self.last_frame > self.growing_frames:
            self.mean[7] = 0
        self.mean, self.covariance = self.kalman.predict(self.mean, self.covariance)

    def update(self, box, score, frame):
        self.mean, self.covariance = self.kalman.update(self.mean, self.covariance, to_cxcyah(box))
        self.score, self.last_frame, self.last_box = score, frame, box
        self.hits += 1

    @property
    def box(self):
        return to_xyxy(self.mean)


class PlainTracker:
    """What the three methods share: birth, death and pairing by IoU."""

    track_type = Track

    def __init__(self, tentatives, retain):
        self.tentatives, self.retain = tentatives, retain
        self.kalman = PlainKalmanFilter()
        self.tracks, self.next_id = [], 0

    def pair(self, tracks, detections, thr, weighted=False):
        """Pairs (track, detection) of a class whose IoU, or IoU times score, reaches ``thr``."""
        iou = overlaps([t.box for t in tracks], [d[0] for d in detections])
        if not iou.size:
            return []
        if weighted:
            iou = iou * np.array([d[1] for d in detections])[None]
        cost = 1 - iou
        classes = np.array([t.label for t in tracks])
        cost[classes[:, None] != np.array([d[2] for d in detections])[None]] = 1e6
        return assign(cost, 1 - thr)

    def birth(self, box, score, label, frame):
        track = self.track_type(
            self.next_id, box, score, label, frame, self.kalman, confirmed=frame == 0
        )
        self.next_id += 1
        self.tracks.append(track)
        return track

    def confirm(self, track):
        if track.hits >= self.tentatives:
            track.confirmed = True

    def bury(self, frame):
        """Forget tentative tracks without a match in this frame and tracks lost for long."""
        self.tracks = [
            t for t in self.tracks
            if not (frame - t.last_frame >= self.retain
                    or (not t.confirmed and t.last_frame != frame))
        ]  # fmt: skip


class PlainSort(PlainTracker):
    """SORT with the state of DeepSORT; no appearance."""

    def __init__(self, obj_score_thr=0.3, match_iou_thr=0.7, num_tentatives=3,
                 num_frames_retain=10):  # fmt: skip
        super().__init__(num_tentatives, num_frames_retain)
        self.obj_score_thr, self.match_iou_thr = obj_score_thr, match_iou_thr

    def track(self, boxes, scores, labels, frame):
        detections = [
            (b, s, c) for b, s, c in zip(boxes, scores, labels, strict=True)
            if s > self.obj_score_thr
        ]  # fmt: skip
        for track in self.tracks:
            track.predict(frame)
        # the tracks seen a frame ago; without appearance nothing else can bring a track back
        active = [t for t in self.tracks if t.last_frame == frame - 1]
        pairs = dict()
        cost = 1 - overlaps([t.last_box for t in active], [d[0] for d in detections])
        for i, j in assign_then_gate(cost, 1 - self.match_iou_thr):
            pairs[j] = active[i]
        return self.finish(detections, pairs, frame)

    def finish(self, detections, pairs, frame):
        rows = []
        for j, (box, score, label) in enumerate(detections):
            if j in pairs:
                track = pairs[j]
                track.update(box, score, frame)
                self.confirm(track)
            else:
                track = self.birth(box, score, label, frame)
            rows.append((track.id, *box, score, label))
        self.bury(frame)
        return rows


class PlainByteTrack(PlainTracker):
    """ByteTrack: confident boxes first, then the weak ones for tracks that are left."""

    def __init__(self, high=0.6, low=0.1, init_thr=0.7, weighted=True, thr_high=0.1, thr_low=0.5,
                 thr_tentative=0.3, num_tentatives=3, num_frames_retain=10):  # fmt: skip
        super().__init__(num_tentatives, num_frames_retain)
        self.init_thr = init_thr
        self.high, self.low, self.weighted = high, low, weighted
        self.thr_high, self.thr_low, self.thr_tentative = thr_high, thr_low, thr_tentative

    def track(self, boxes, scores, labels, frame):
        every = list(zip(boxes, scores, labels, strict=True))
        started = bool(self.tracks)
        strong = [d for d in every if d[1] > self.high]
        weak = [d for d in every if self.low < d[1] <= self.high]
        confirmed = [t for t in self.tracks if t.confirmed]
        tentative = [t for t in self.tracks if not t.confirmed]
        for track in confirmed:
            track.predict(frame)
        first = self.pair(confirmed, strong, self.thr_high, self.weighted)
        pairs = {j: confirmed[i] for i, j in first}
        left = [j for j in range(len(strong)) if j not in pairs]
        for i, j in self.pair(tentative, [strong[j] for j in left], self.thr_tentative,
                              self.weighted):  # fmt: skip
            pairs[left[j]] = tentative[i]
        matched = {t.id for t in pairs.values()}
        lost = [t for t in confirmed if t.id not in matched and t.last_frame == frame - 1]
        second = {j: lost[i] for i, j in self.pair(lost, weak, self.thr_low)}
        rows = []
        for j, (box, score, label) in enumerate(strong):
            track = pairs.get(j)
            if track is not None:
                track.update(box, score, frame)
                self.confirm(track)
            elif started or score > self.init_thr:
                track = self.birth(box, score, label, frame)
            else:
                continue
            rows.append((track.id, *box, score, label))
        for j, (box, score, label) in enumerate(weak):
            if j in second:
                second[j].update(box, score, frame)
                self.confirm(second[j])
                rows.append((second[j].id, *box, score, label))
        self.bury(frame)
        return rows


def heading(a, b):
    """Unit vectors from the centre of a box to that of another, or of many others."""
    offset = (b[..., :2] + b[..., 2:] - a[:2] - a[2:]) / 2
    return offset / (np.linalg.norm(offset, axis=-1, keepdims=True) + 1e-6)


class ObservedTrack(Track):
    """A track that remembers its boxes by frame, and its state at the last of them."""

    growing_frames = 3

    def __init__(self, ident, box, score, label, frame, kalman, confirmed):
        super().__init__(ident, box, score, label, frame, kalman, confirmed)
        self.boxes = {frame: box}
        self.heading = None
        self.seen_state = self.mean, self.covariance

    def smooth(self, box, frame):
        """Filter again along a straight way from the last box ("observation-centric re-update").

        Updates alone, as the reference does; the paper predicts between them.
        """
        gap = frame - self.last_frame
        mean, covariance = self.seen_state
        for step in range(gap + 1):
            virtual = self.last_box + (box - self.last_box) * step / gap
            mean, covariance = self.kalman.update(mean, covariance, to_cxcyah(virtual))
        self.mean, self.covariance = mean, covariance

    def observe(self, box, score, frame, delta):
        if frame - self.last_frame > 1:
            self.smooth(box, frame)
        before = self.boxes.get(frame - delta)
        self.heading = None if before is None else heading(before, box)
        self.update(box, score, frame)
        self.boxes[frame] = box
        self.seen_state = self.mean, self.covariance


class PlainOCSort(PlainTracker):
    """OC-SORT: overlap and direction, then last observations; lost tracks are filtered again."""

    track_type = ObservedTrack

    def __init__(
        self, obj_score_thr=0.3, init_thr=0.7, weighted=True, match_iou_thr=0.3, num_tentatives=3,
        direction_weight=0.2, delta=3, num_frames_retain=10,
    ):  # fmt: skip
        super().__init__(num_tentatives, num_frames_retain)
        self.init_thr = init_thr
        self.obj_score_thr, self.thr = obj_score_thr, match_iou_thr
        self.weighted, self.direction_weight, self.delta = weighted, direction_weight, delta

    def iou_cost(self, boxes, detections):
        iou = overlaps(boxes, [d[0] for d in detections])
        return 1 - iou * np.array([d[1] for d in detections])[None] if self.weighted else 1 - iou

    def by_direction(self, tracks, detections, frame):
        if not tracks or not detections:
            return []
        cost = self.iou_cost([t.box for t in tracks], detections)
        boxes = np.array([d[0] for d in detections])
        for i, track in enumerate(tracks):
            if track.heading is None:
                continue
            start = track.boxes.get(frame - 1 - self.delta, track.last_box)
            cosines = np.clip(heading(start, boxes) @ track.heading, -1, 1)
            cost[i] += self.direction_weight * (np.arccos(cosines) / np.pi - 0.5)
        return assign(cost, 1 - self.thr)

    def track(self, boxes, scores, labels, frame):
        every = list(zip(boxes, scores, labels, strict=True))
        detections = [d for d in every if d[1] > self.obj_score_thr]
        started = bool(self.tracks)
        confirmed = [t for t in self.tracks if t.confirmed]
        tentative = [t for t in self.tracks if not t.confirmed]
        for track in confirmed:
            track.predict(frame)
        pairs = {}
        for group in (confirmed, tentative):
            left = [j for j in range(len(detections)) if j not in pairs]
            found = self.by_direction(group, [detections[j] for j in left], frame)
            pairs.update({left[j]: group[i] for i, j in found})
        matched = {t.id for t in pairs.values()}
        rest = [t for t in self.tracks if t.id not in matched]
        left = [j for j in range(len(detections)) if j not in pairs]
        if rest and left:
            cost = self.iou_cost([t.last_box for t in rest], [detections[j] for j in left])
            pairs.update({left[j]: rest[i] for i, j in assign(cost, 1 - self.thr)})
        rows = []
        for j, (box, score, label) in enumerate(detections):
            track = pairs.get(j)
            if track is not None:
                track.observe(box, score, frame, self.delta)
                self.confirm(track)
            elif started or score > self.init_thr:
                track = self.birth(box, score, label, frame)
            else:
                continue
            rows.append((track.id, *box, score, label))
        self.bury(frame)
        return rows
