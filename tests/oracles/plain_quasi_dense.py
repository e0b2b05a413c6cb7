"""QDTrack's two trackers as the paper tells them: one Python object per track.

Written for reading, not for speed. The trackers of the package must give the same ids, and
``tools/analysis/bench/bench_quasi_dense.py`` measures them side by side.

Reference:
    Pang et al., "Quasi-Dense Similarity Learning for Multiple Object Tracking", CVPR 2021.
"""

from dataclasses import dataclass

import numpy as np

from oracles.crowds import crowd


@dataclass
class Entry:
    """What is remembered of a track, or of a backdrop (id -1)."""

    id: int
    embed: np.ndarray
    label: int
    frame: int
    score: float


def overlap(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    inter = width * height
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    return inter / (sum(areas) - inter)


def softmax(table):
    """Over the last axis; entries of minus infinity get 0."""
    out = np.zeros_like(table)
    for i, row in enumerate(table):
        if np.isfinite(row).any():
            parts = np.exp(row - row[np.isfinite(row)].max())
            out[i] = parts / parts.sum()
    return out


def similarities(metric, embeds, memory, allowed):
    """Table of detections against memory, 0 where not allowed."""
    table = np.array([[e @ m.embed for m in memory] for e in embeds])
    if metric == "cosine":
        lengths = np.array([[np.linalg.norm(e) * np.linalg.norm(m.embed) for m in memory]
                            for e in embeds])  # fmt: skip
        return np.where(allowed, table / lengths, 0)
    table = np.where(allowed, table, -np.inf)
    forth = softmax(table)
    return forth if metric == "softmax" else (forth + softmax(table.T).T) / 2


class PlainQuasiDense:
    """Common to both: memory of tracks."""

    def __init__(self, memo_frames, momentum, match, metric, init_score, obj_score):
        self.memo_frames, self.momentum = memo_frames, momentum
        self.match, self.metric = match, metric
        self.init_score, self.obj_score = init_score, obj_score
        self.tracks, self.count = {}, 0

    def remember(self, ids, embeds, labels, scores, frame):
        for ident, embed, label, score in zip(ids, embeds, labels, scores, strict=True):
            if ident < 0:
                continue
            track = self.tracks.get(ident)
            if track is None:
                self.tracks[ident] = Entry(ident, embed.copy(), label, frame, score)
                continue
            track.embed = (1 - self.momentum) * track.embed + self.momentum * embed
            track.label, track.frame = label, frame
            track.score = self.new_score(track.score, score)
        for ident in [i for i, t in self.tracks.items() if frame - t.frame >= self.memo_frames]:
            del self.tracks[ident]

    def new_score(self, old, new):
        return new

    def start(self, ids, scores):
        for i, score in enumerate(scores):
            if ids[i] == -1 and score > self.init_score:
                ids[i] = self.count
                self.count += 1


class PlainQDTrack(PlainQuasiDense):
    """With backdrops, as for MOT."""

    def __init__(
        self, memo_tracklet_frames=10, memo_backdrop_frames=1, memo_momentum=0.8,
        match_score_thr=0.5, match_metric="bisoftmax", init_score_thr=0.8, obj_score_thr=0.5,
        nms_conf_thr=0.5, nms_backdrop_iou_thr=0.3, nms_class_iou_thr=0.7, with_cats=True,
    ):  # fmt: skip
        super().__init__(memo_tracklet_frames, memo_momentum, match_score_thr, match_metric,
                         init_score_thr, obj_score_thr)  # fmt: skip
        self.backdrop_frames, self.with_cats = memo_backdrop_frames, with_cats
        self.nms_conf, self.nms_backdrop = nms_conf_thr, nms_backdrop_iou_thr
        self.nms_class = nms_class_iou_thr
        self.backdrops = []

    def track(self, bboxes, scores, labels, embeds, frame):
        """Rows ``(row of the detection, id, score)``."""
        rows = []
        order = sorted(range(len(scores)), key=lambda i: -scores[i])
        for place, i in enumerate(order):
            limit = self.nms_backdrop if scores[i] < self.obj_score else self.nms_class
            if all(overlap(bboxes[i], bboxes[j]) <= limit for j in order[:place]):
                rows.append(i)
        bboxes, scores, labels, embeds = (a[rows] for a in (bboxes, scores, labels, embeds))
        ids = self.match_with_memory(scores, labels, embeds)
        self.start(ids, scores)
        self.remember(ids, embeds, labels, scores, frame)
        self.choose_backdrops(ids, bboxes, scores, labels, embeds, frame)
        return [(row, i, s) for row, i, s in zip(rows, ids, scores, strict=True) if i >= 0]

    def match_with_memory(self, scores, labels, embeds):
        ids = [-1] * len(scores)
        if not self.tracks or not ids:
            return ids
        memory = [*self.tracks.values(), *self.backdrops]
        everything = np.ones((len(ids), len(memory)), bool)
        table = similarities(self.metric, embeds, memory, everything)
        if self.with_cats:
            table *= np.array([[label == m.label for m in memory] for label in labels])
        for i, score in enumerate(scores):
            best = int(table[i].argmax())
            likeness, ident = table[i, best], memory[best].id
            if likeness <= self.match or ident < 0:
                continue
            if score > self.obj_score:
                ids[i] = ident
                table[:, best] = 0
            elif likeness > self.nms_conf:
                ids[i] = -2
        return ids

    def choose_backdrops(self, ids, bboxes, scores, labels, embeds, frame):
        for i, ident in enumerate(ids):
            alone = all(overlap(bboxes[i], bboxes[j]) <= self.nms_backdrop for j in range(i))
            if ident == -1 and alone:
                self.backdrops.append(Entry(-1, embeds[i], labels[i], frame, scores[i]))
        self.backdrops = [b for b in self.backdrops if frame - b.frame < self.backdrop_frames]


class PlainQDTrackTAO(PlainQuasiDense):
    """Class by class, as for TAO."""

    def __init__(
        self, init_score_thr=0.0001, obj_score_thr=0.0001, match_score_thr=0.5, memo_frames=10,
        memo_momentum=0.8, momentum_obj_score=0.5, obj_score_diff_thr=1.0,
        distractor_nms_thr=0.3, distractor_score_thr=0.5, match_metric="bisoftmax",
        match_with_cosine=True,
    ):  # fmt: skip
        super().__init__(memo_frames, memo_momentum, match_score_thr, match_metric,
                         init_score_thr, obj_score_thr)  # fmt: skip
        self.score_momentum, self.score_diff = momentum_obj_score, obj_score_diff_thr
        self.distractor_nms, self.distractor_score = distractor_nms_thr, distractor_score_thr
        self.with_cosine = match_with_cosine

    def new_score(self, old, new):
        return (1 - self.score_momentum) * old + self.score_momentum * new

    def track(self, bboxes, scores, labels, embeds, frame):
        """Rows ``(row of the detection, id, score)``."""
        rows = []
        for i, score in enumerate(scores):
            alike = [j for j in range(i) if labels[j] == labels[i]]
            if score >= self.distractor_score or all(
                overlap(bboxes[i], bboxes[j]) <= self.distractor_nms for j in alike
            ):
                rows.append(i)
        scores, labels, embeds = (a[rows] for a in (scores, labels, embeds))
        ids = self.match_with_memory(scores, labels, embeds)
        self.start(ids, scores)
        self.remember(ids, embeds, labels, scores, frame)
        return [(row, i, self.tracks[i].score) for row, i in zip(rows, ids, strict=True) if i >= 0]

    def match_with_memory(self, scores, labels, embeds):
        ids = [-1] * len(scores)
        if not self.tracks or not ids:
            return ids
        memory = list(self.tracks.values())
        same_class = np.array([[label == m.label for m in memory] for label in labels])
        table = similarities(self.metric, embeds, memory, same_class)
        if self.with_cosine:
            table = (table + similarities("cosine", embeds, memory, same_class)) / 2
        for i, score in enumerate(scores):
            best = int(table[i].argmax())
            changed = abs(score - memory[best].score) >= self.score_diff
            if table[i, best] > self.match and score > self.obj_score and not changed:
                ids[i] = memory[best].id
                table[:, best] = 0
        return ids


def embedded_crowd(count, frames, *, channels=16, noise=0.25, seed=0, twins=0.1, **options):
    """Yield ``(bboxes, scores, labels, embeds)`` per frame: a crowd with what people look like.

    Some people are found twice, and clutter looks like nobody.
    """
    rng = np.random.default_rng(seed + 1)
    looks = rng.normal(size=(count, channels))
    for bboxes, scores, labels, owners in crowd(count, frames, seed=seed, **options):
        again = np.flatnonzero(rng.uniform(size=len(bboxes)) < twins)
        shifts = rng.uniform(-8, 8, (len(again), 4)).astype(np.float32)
        bboxes = np.concatenate((bboxes, bboxes[again] + shifts))
        scores = np.concatenate((scores, rng.uniform(0.2, 0.9, len(again)).astype(np.float32)))
        labels, owners = (np.concatenate((a, a[again])) for a in (labels, owners))
        embeds = rng.normal(size=(len(owners), channels))
        real = owners >= 0
        embeds[real] = looks[owners[real]] + noise * embeds[real]
        yield bboxes, scores, labels, embeds.astype(np.float32)
