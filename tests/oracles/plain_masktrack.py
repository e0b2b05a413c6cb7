"""How MaskTrack R-CNN continues instances: one object per instance, one detection at a time.

Reference: Yang et al., "Video Instance Segmentation", ICCV 2019, sections 4.1 to 4.3.
"""

import math

import numpy as np


def overlap(a, b):
    """IoU of two boxes."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    shared = max(width, 0) * max(height, 0)
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


class Instance:
    def __init__(self, ident):
        self.id = ident

    def see(self, box, label, embed, frame):
        self.box, self.label, self.embed, self.frame = box, label, embed, frame


class PlainMaskTrack:
    """Ids of the detections of one frame after the other; -1 where a detection is discarded."""

    def __init__(self, retain, unique, weights=(1.0, 2.0, 10.0)):
        self.retain, self.unique, self.weights = retain, unique, weights
        self.instances, self.next_id = [], 0

    def scores(self, box, score, label, embed):
        """Score of "new", then of each instance: equation (2)."""
        products = [0.0] + [float(embed @ other.embed) for other in self.instances]
        total = math.log(sum(math.exp(p) for p in products))
        by_score, by_iou, by_label = self.weights
        found = [products[0] - total + by_score * math.log(score) + by_label]
        for product, other in zip(products[1:], self.instances, strict=True):
            found.append(
                product - total + by_score * math.log(score) + by_iou * overlap(box, other.box)
                + by_label * (label == other.label)
            )  # fmt: skip
        return found

    def track(self, boxes, scores, labels, embeds, frame):
        self.instances = [i for i in self.instances if frame - 1 - i.frame < self.retain]
        rows = list(zip(boxes, scores, labels, embeds, strict=True))
        wishes = [self.scores(*row) for row in rows]
        ids, holder = [], {}
        for number, wish in enumerate(wishes):
            best = int(np.argmax(wish))
            if best == 0 or not self.instances:
                ids.append(self.next_id)
                self.next_id += 1
            elif best in holder and wish[best] <= wishes[holder[best]][best]:
                ids.append(-1)
            else:
                if best in holder and self.unique:
                    ids[holder[best]] = -1
                holder[best] = number
                ids.append(self.instances[best - 1].id)
        known = {i.id: i for i in self.instances}
        for ident, (box, _, label, embed) in zip(ids, rows, strict=True):
            if ident < 0:
                continue
            if ident not in known:
                known[ident] = Instance(ident)
                self.instances.append(known[ident])
            known[ident].see(box, label, embed, frame)
        return ids
