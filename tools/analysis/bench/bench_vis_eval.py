"""Time `eval_vis` on as many tracks as YouTube-VIS's validation set, and its overlap of tracks.

The overlap over space and time is computed from run lengths; beside it, on a part of the videos,
from dense masks frame by frame, and by trackeval, which merges the run lengths of every pair in
every frame. Example: ``python tools/analysis/bench/bench_vis_eval.py --videos 300 --frames 30``.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import pycocotools.mask as coco_mask
from trackeval.metrics.track_map import TrackMAP

import mmtrack  # noqa: F401  (installs the compatibility layer)
from mmtrack.core.evaluation import eval_vis
from mmtrack.core.mask import MaskTrack, track_ious
from mmtrack.core.utils import Progress

CORNERS = 40  # of the outline of an object


def outline(rng: np.random.Generator) -> np.ndarray:
    """A closed wobbly line around the origin, ``(CORNERS, 2)``, about one unit from it."""
    angle = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False)
    radius = 1 + 0.25 * np.sin(3 * angle + rng.uniform(0, 6)) + rng.uniform(-0.1, 0.1, CORNERS)
    return np.stack((radius * np.cos(angle), radius * np.sin(angle)), 1)


def masks_of(places: np.ndarray, shape: np.ndarray, size: tuple[int, int]) -> list[dict]:
    """Run lengths of a shape at the place of each frame."""
    polygons = [[(shape + place).ravel().tolist()] for place in places]
    return [coco_mask.merge(coco_mask.frPyObjects(p, *size)) for p in polygons]


def make_problem(args: argparse.Namespace) -> tuple[list[dict], dict]:
    """Tracks around moving objects, and the objects, as of YouTube-VIS."""
    rng = np.random.default_rng(0)
    size = (args.height, args.width)
    centre = np.array(size[::-1])
    results, annotations = [], []
    progress = Progress(args.videos * args.frames)
    for video in range(1, args.videos + 1):
        objects = []
        for _ in range(args.objects):
            start, step = centre * rng.uniform(0.2, 0.8, 2), rng.uniform(-6, 6, 2)
            places = start + step * np.arange(args.frames)[:, None]
            shape = outline(rng) * rng.uniform(0.06, 0.25, 2) * centre.min()
            objects.append((places, shape, int(rng.integers(1, args.classes + 1))))
            entry = {"video_id": video, "category_id": objects[-1][2], "iscrowd": 0}
            entry["segmentations"] = masks_of(places, shape, size)
            annotations.append({"id": len(annotations) + 1, **entry})
        for number in range(args.tracks):
            places, shape, category = objects[number % args.objects]
            near = places + rng.normal(0, 8, places.shape)
            entry = {"video_id": video, "category_id": category, "score": float(rng.uniform())}
            entry["segmentations"] = masks_of(near, shape * rng.uniform(0.8, 1.2), size)
            results.append(entry)
        progress.update(args.frames)
    progress.close()
    videos = [
        {"id": v, "height": size[0], "width": size[1], "length": args.frames}
        for v in range(1, args.videos + 1)
    ]
    categories = [{"id": c, "name": str(c)} for c in range(1, args.classes + 1)]
    return results, {"videos": videos, "categories": categories, "annotations": annotations}


def pairs(results: list[dict], data: dict, videos: int) -> list[tuple[list, list]]:
    """Masks of tracks and of objects of each video and category that has both."""
    groups: dict[tuple, tuple[list, list]] = {}
    for place, entries in enumerate((results, data["annotations"])):
        for entry in entries:
            if entry["video_id"] <= videos:
                key = (entry["video_id"], entry["category_id"])
                groups.setdefault(key, ([], []))[place].append(entry["segmentations"])
    return [group for group in groups.values() if all(group)]


def ours(tracks: list, objects: list) -> np.ndarray:
    """Overlap from run lengths."""
    return track_ious(*([MaskTrack.from_masks(m) for m in group] for group in (tracks, objects)))


def dense(tracks: list, objects: list) -> np.ndarray:
    """Overlap from pixels, one pair and one frame after the other; masks are decoded once."""
    planes, others = ([coco_mask.decode(m).astype(bool) for m in g] for g in (tracks, objects))
    found = np.zeros((len(planes), len(others)))
    for i, j in np.ndindex(*found.shape):
        shared = total = 0
        for frame in range(planes[i].shape[2]):
            one, other = planes[i][..., frame], others[j][..., frame]
            shared += np.count_nonzero(one & other)
            total += np.count_nonzero(one | other)
        found[i, j] = shared / total if total else 0
    return found


def merged(tracks: list, objects: list) -> np.ndarray:
    """Overlap as trackeval computes it."""
    as_dicts = ([dict(enumerate(masks)) for masks in group] for group in (tracks, objects))
    return TrackMAP._compute_track_ious(*as_dicts, iou_function="mask")


def timed(function: Callable, groups: list, repeats: int) -> tuple[float, list[np.ndarray]]:
    """Least processor time of several runs over all groups, and the results."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        found = [function(*group) for group in groups]
        times.append(time.process_time() - start)
    return min(times), found


def main() -> None:
    """Time and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=int, default=300)
    parser.add_argument("--frames", type=int, default=30, help="frames of each video")
    parser.add_argument("--tracks", type=int, default=10, help="tracks of each video")
    parser.add_argument("--objects", type=int, default=3, help="objects of each video")
    parser.add_argument("--classes", type=int, default=2)
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--height", type=int, default=720)
    parser.add_argument("--slow-videos", type=int, default=6, help="videos for the rivals")
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    results, data = make_problem(args)
    start = time.process_time()
    scores = eval_vis(results, data, logger="silent")
    total = time.process_time() - start
    print(f"{args.videos} videos of {args.frames} frames, {args.tracks} tracks: {scores}")
    groups = pairs(results, data, args.videos)
    overlap, _ = timed(ours, groups, 1)
    print(f"eval_vis: {total:.2f} s, of which the overlap of tracks {overlap:.2f} s")
    groups = pairs(results, data, args.slow_videos)
    seconds, wanted = timed(ours, groups, args.repeats)
    print(f"overlap in {args.slow_videos} videos, from run lengths: {seconds:.4f} s")
    for name, function in (("dense masks", dense), ("trackeval", merged)):
        theirs, found = timed(function, groups, 1)
        worst = max(np.abs(a - b).max() for a, b in zip(found, wanted, strict=True))
        ratio = f"{theirs / seconds:.1f} x"
        print(f"{name}: {theirs:.3f} s, {ratio}, largest difference {worst:.1e}")


if __name__ == "__main__":
    main()
