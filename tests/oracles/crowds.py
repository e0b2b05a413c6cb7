"""Detections of moving crowds, as trackers get them: misses, weak scores, noise, clutter."""

import numpy as np


def crowd(count, frames, *, seed=0, classes=1, miss=0.05, weak=0.15, clutter=0.01, speed=2.0):
    """Yield ``(bboxes, scores, labels, owners)`` per frame; owners are -1 for clutter.

    People walk straight lines at a density that does not depend on ``count``, and turn around at
    the border. Boxes are x1, y1, x2, y2.
    """
    rng = np.random.default_rng(seed)
    side = 100 * np.sqrt(count)
    start = rng.uniform(0, side, (count, 2))
    velocity = rng.normal(0, speed, (count, 2))
    size = np.stack((rng.uniform(20, 40, count), rng.uniform(50, 90, count)), axis=1)
    kinds = rng.integers(0, classes, count)
    for frame in range(frames):
        center = np.mod(start + velocity * frame, 2 * side)
        center = np.where(center > side, 2 * side - center, center)
        boxes = np.concatenate((center - size / 2, center + size / 2), axis=1)
        seen = np.flatnonzero(rng.uniform(size=count) >= miss)
        boxes = boxes[seen] + rng.normal(0, 1, (len(seen), 4))
        scores = rng.uniform(0.7, 1, len(seen))
        low = rng.uniform(size=len(seen)) < weak
        scores[low] = rng.uniform(0.12, 0.6, low.sum())
        false = rng.poisson(clutter * count)
        corner = rng.uniform(0, side, (false, 2))
        boxes = np.concatenate((boxes, np.concatenate((corner, corner + 50), axis=1)))
        scores = np.concatenate((scores, rng.uniform(0.1, 0.9, false)))
        labels = np.concatenate((kinds[seen], rng.integers(0, classes, false)))
        owners = np.concatenate((seen, np.full(false, -1)))
        order = rng.permutation(len(boxes))
        # float32 is what detectors give
        yield (
            boxes[order].astype(np.float32),
            scores[order].astype(np.float32),
            labels[order],
            owners[order],
        )
