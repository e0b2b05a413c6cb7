"""Tracktor as its paper tells it: one Python object per track, plain loops.

Reference: Bergmann et al., "Tracking Without Bells and Whistles", ICCV 2019, algorithm 1 (in its
appendix), section 2.3 (motion model, re-identification).
"""

import numpy as np
import torch
from addict import Dict
from scipy.optimize import linear_sum_assignment

from oracles.plain_trackers import overlaps


def suppress(boxes, scores, labels, thr):
    """Indices that survive non-maximum suppression within each class."""
    kept = []
    for i in sorted(range(len(boxes)), key=lambda i: -scores[i]):
        rivals = [boxes[j] for j in kept if labels[j] == labels[i]]
        if not rivals or overlaps([boxes[i]], rivals).max() <= thr:
            kept.append(i)
    return sorted(kept)


class PlainTracktor:
    """The tracker.

    Args:
        regress: ``regress(box, label)`` gives the box in the new frame and its score.
        embed: ``embed(box)`` gives the appearance, or None.
        linear_motion, cmc: Motion models with the ``track`` of the documentation, or None.
    """

    def __init__(self, regress, embed=None, linear_motion=None, cmc=None, *, det_thr=0.5,
                 alive_thr=0.5, nms_thr=0.6, new_thr=0.3, reid_thr=2.0, reid_iou=0.2, samples=10,
                 retain=10):  # fmt: skip
        self.regress, self.embed = regress, embed
        self.linear_motion, self.cmc = linear_motion, cmc
        self.det_thr, self.alive_thr, self.nms_thr = det_thr, alive_thr, nms_thr
        self.new_thr, self.reid_thr, self.reid_iou = new_thr, reid_thr, reid_iou
        self.samples, self.retain = samples, retain
        self.tracks, self.next_id, self.last_img = {}, 0, None

    def track(self, img, boxes, scores, labels, frame):
        self.move(img, frame)
        alive = self.regress_tracks(frame)
        new = []
        for box, score, label in zip(boxes, scores, labels, strict=True):
            rivals = [t.box for t in alive.values() if t.label == label]
            taken = rivals and overlaps([box], rivals).max() >= self.new_thr
            if score > self.det_thr and not taken:
                new.append(Dict(box=box, score=score, label=label))
        if self.embed is not None:
            for found in [*alive.values(), *new]:
                found.embed = self.embed(found.box)
        found = dict(alive)
        for index, ident in self.recognise(new, alive).items():
            found[ident] = new[index]
            new[index] = None
        for start in new:
            if start is not None:
                found[self.next_id] = start
                self.next_id += 1
        self.remember(found, frame)
        return {i: (*map(float, f.box), float(f.score), int(f.label)) for i, f in found.items()}

    def move(self, img, frame):
        if self.cmc is not None:
            if self.last_img is not None:
                samples = self.linear_motion.num_samples if self.linear_motion is not None else 1
                self.cmc.track(self.last_img, img, self.tracks, samples, frame)
            self.last_img = img
        if self.linear_motion is not None:
            self.linear_motion.track(self.tracks, frame)

    def regress_tracks(self, frame):
        alive = {}
        for ident, track in self.tracks.items():
            if track.frame_ids[-1] == frame - 1:
                box, score = self.regress(track.bboxes[-1][0].numpy(), track.label)
                if score > self.alive_thr:
                    alive[ident] = Dict(box=box, score=score, label=track.label)
        rows = list(alive)
        columns = [[alive[i][name] for i in rows] for name in ("box", "score", "label")]
        return {rows[k]: alive[rows[k]] for k in suppress(*columns, self.nms_thr)}

    def recognise(self, new, alive):
        """Lost tracks that look like one of the new boxes: index of the box to id."""
        lost = [i for i in self.tracks if i not in alive]
        if self.embed is None or not lost or not new:
            return {}
        far = 1e6
        cost = np.full((len(lost), len(new)), far)
        for row, ident in enumerate(lost):
            track = self.tracks[ident]
            look = np.mean(track.embeds[-self.samples :], axis=0)
            for col, found in enumerate(new):
                near = overlaps([track.bboxes[-1][0].numpy()], [found.box])[0, 0] >= self.reid_iou
                if near and track.label == found.label:
                    cost[row, col] = np.linalg.norm(look - found.embed)
        pairs = zip(*linear_sum_assignment(cost), strict=True)
        return {col: lost[row] for row, col in pairs if cost[row, col] <= self.reid_thr}

    def remember(self, found, frame):
        for ident, one in found.items():
            track = self.tracks.setdefault(
                ident, Dict(bboxes=[], embeds=[], frame_ids=[], label=one.label)
            )
            track.bboxes.append(torch.tensor(np.asarray(one.box, float))[None])
            track.embeds.append(one.embed)
            track.frame_ids.append(frame)
        gone = [i for i, t in self.tracks.items() if frame - t.frame_ids[-1] >= self.retain]
        for ident in gone:
            del self.tracks[ident]
