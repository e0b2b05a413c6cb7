"""Time the tracking scores beside trackeval and motmetrics, and bbox AP beside pycocotools.

All start from the same arrays in memory and every value is compared, so that a faster wrong
answer shows. Example: ``python tools/analysis/bench/bench_evaluation.py --sequences 7``.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import time
from collections.abc import Callable

import numpy as np

import mmtrack  # noqa: F401  (installs the compatibility layer)
from mmtrack.core.evaluation import MOTTable, eval_mot, evaluate_mot_challenge
from mmtrack.core.evaluation.clear import clear_counts, clear_scores
from mmtrack.core.evaluation.frame_pairs import pair_frames
from mmtrack.core.evaluation.hota import hota_counts, hota_scores
from mmtrack.core.evaluation.identity import identity_counts, identity_scores


def make_sequence(rng: np.random.Generator, frames: int, tracks: int) -> tuple[MOTTable, MOTTable]:
    """Ground truth of a crowd and results with noise, misses, switched ids and false boxes."""
    start = rng.uniform((0, 0), (1800, 900), (tracks, 2))
    speed = rng.normal(0, 2, (tracks, 2))
    size = rng.uniform((30, 70), (90, 220), (tracks, 2))
    time_steps = np.arange(frames)[:, None, None]
    corner = np.mod(start + speed * time_steps, (1900, 1000))
    boxes = np.concatenate((corner, np.broadcast_to(size, corner.shape)), 2).reshape(-1, 4)
    frame = np.repeat(np.arange(1, frames + 1), tracks)
    ids = np.tile(np.arange(1, tracks + 1), frames)
    gt = MOTTable.from_columns(frame, ids, boxes, classes=np.ones(len(ids)))
    found = rng.random(len(ids)) > 0.1
    renamed = ids + tracks * (frame // rng.integers(120, 400, tracks)[ids - 1])
    noisy = boxes[found] + rng.normal(0, 4, (found.sum(), 4))
    extra = len(ids) // 20
    wrong = np.c_[rng.uniform(0, 900, (extra, 2)), rng.uniform(30, 150, (extra, 2))]
    at = rng.integers(1, frames + 1, extra)
    return gt, MOTTable.from_columns(
        np.r_[frame[found], at],
        np.r_[renamed[found], 10000 + np.arange(extra)],
        np.maximum(np.r_[noisy, wrong], 1),
    )


def score_ours(gts: list[MOTTable], results: list[MOTTable]) -> dict[str, float]:
    """CLEAR, identity and HOTA of the union, without the checks and the preprocessing."""
    pairs = pair_frames(gts, results)
    return {
        **clear_scores(clear_counts(pairs).total()),
        **identity_scores(identity_counts(pairs).total()),
        **hota_scores(hota_counts(pairs).total()),
    }


def score_ours_with_preprocessing(gts: list[MOTTable], results: list[MOTTable]) -> dict[str, float]:
    """The whole of `evaluate_mot_challenge`, as a dataset calls it."""
    names = [f"seq{i}" for i in range(len(gts))]
    scores = evaluate_mot_challenge(
        dict(zip(names, gts, strict=True)), dict(zip(names, results, strict=True))
    )
    return scores["OVERALL"]


def frames_of(table: MOTTable, frames: int) -> list[np.ndarray]:
    """Rows of each frame."""
    order = np.argsort(table.frames, kind="stable")
    return np.split(order, np.searchsorted(table.frames[order], np.arange(2, frames + 1)))


def score_trackeval(gts: list[MOTTable], results: list[MOTTable]) -> dict[str, float]:
    """HOTA, CLEAR and identity metrics of trackeval, given arrays instead of files."""
    import trackeval

    quiet = {"PRINT_CONFIG": False}
    metrics = [
        trackeval.metrics.HOTA(),
        trackeval.metrics.CLEAR(quiet),
        trackeval.metrics.Identity(quiet),
    ]
    iou = trackeval.datasets.MotChallenge2DBox._calculate_box_ious
    found = [{} for _ in metrics]
    for seq, (gt, res) in enumerate(zip(gts, results, strict=True)):
        length = int(max(gt.frames.max(), res.frames.max()))
        gt_names, gt_ids = np.unique(gt.ids, return_inverse=True)
        res_names, res_ids = np.unique(res.ids, return_inverse=True)
        gt_rows, res_rows = frames_of(gt, length), frames_of(res, length)
        data = {
            "num_timesteps": length,
            "num_gt_ids": len(gt_names),
            "num_tracker_ids": len(res_names),
            "num_gt_dets": len(gt),
            "num_tracker_dets": len(res),
            "gt_ids": [gt_ids[r] for r in gt_rows],
            "tracker_ids": [res_ids[r] for r in res_rows],
            "similarity_scores": [
                iou(gt.boxes[a], res.boxes[b]) for a, b in zip(gt_rows, res_rows, strict=True)
            ],
        }
        for metric, scores in zip(metrics, found, strict=True):
            scores[seq] = metric.eval_sequence(data)
    hota, _, identity = (m.combine_sequences(s) for m, s in zip(metrics, found, strict=True))
    scores = {key: float(np.mean(hota[key])) for key in metrics[0].summary_fields}
    return {**scores, **{key: float(identity[key]) for key in ("IDF1", "IDP", "IDR")}}


def score_motmetrics(gts: list[MOTTable], results: list[MOTTable]) -> dict[str, float]:
    """CLEAR and identity metrics of motmetrics."""
    import motmetrics
    from motmetrics.distances import boxiou

    events = []
    for gt, res in zip(gts, results, strict=True):
        length = int(max(gt.frames.max(), res.frames.max()))
        accumulator = motmetrics.MOTAccumulator()
        for frame, (a, b) in enumerate(
            zip(frames_of(gt, length), frames_of(res, length), strict=True)
        ):
            distances = 1 - boxiou(gt.boxes[a][:, None], res.boxes[b][None])
            distances[distances > 0.5] = np.nan
            accumulator.update(gt.ids[a], res.ids[b], distances, frameid=frame)
        events.append(accumulator)
    table = motmetrics.metrics.create().compute_many(
        events, metrics=motmetrics.metrics.motchallenge_metrics, generate_overall=True
    )
    return dict(table.rename(columns=motmetrics.io.motchallenge_metric_names).loc["OVERALL"])


def per_image_lists(gts: list[MOTTable], results: list[MOTTable]) -> tuple[list, list]:
    """Arguments of `eval_mot` for the same boxes."""
    videos, annotations = [], []
    for gt, res in zip(gts, results, strict=True):
        length = int(max(gt.frames.max(), res.frames.max()))
        corners = [np.c_[t.boxes[:, :2], t.boxes[:, :2] + t.boxes[:, 2:]] for t in (gt, res)]
        rows = np.c_[res.ids, corners[1], res.scores]
        videos.append([[rows[r]] for r in frames_of(res, length)])
        annotations.append(
            [
                {
                    "bboxes": corners[0][r],
                    "labels": np.zeros(len(r), int),
                    "instance_ids": gt.ids[r],
                }
                for r in frames_of(gt, length)
            ]
        )
    return videos, annotations


def make_detections(
    rng: np.random.Generator, images: int, objects: int, classes: int
) -> tuple[dict, list[dict]]:
    """COCO annotations and noisy detections."""
    count = images * objects
    boxes = np.c_[rng.uniform(0, 1000, (count, 2)), rng.uniform(10, 200, (count, 2))]
    image_ids, labels = (
        np.repeat(np.arange(1, images + 1), objects),
        rng.integers(1, classes + 1, count),
    )
    truth = {
        "images": [{"id": i, "width": 1280, "height": 1280} for i in range(1, images + 1)],
        "categories": [{"id": c, "name": str(c)} for c in range(1, classes + 1)],
        "annotations": [
            {"id": i + 1, "image_id": int(image), "category_id": int(c), "bbox": box.tolist(),
             "area": float(box[2] * box[3]), "iscrowd": 0}
            for i, (image, c, box) in enumerate(zip(image_ids, labels, boxes, strict=True))
        ],
    }  # fmt: skip
    noisy = np.maximum(boxes + rng.normal(0, 8, boxes.shape), 1)
    scores = rng.random(count)
    found = [
        {"image_id": int(image), "category_id": int(c), "bbox": box.tolist(), "score": float(s)}
        for image, c, box, s in zip(image_ids, labels, noisy, scores, strict=True)
        for _ in range(2)
    ]
    return truth, found


def average_precision(coco_class: type, eval_class: type, data: tuple[dict, list[dict]]) -> float:
    """Bbox mAP of one library."""
    with contextlib.redirect_stdout(io.StringIO()):
        coco = coco_class()
        coco.dataset = data[0]
        coco.createIndex()
        evaluation = eval_class(coco, coco.loadRes([dict(d) for d in data[1]]), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return float(evaluation.stats[0])


def time_in_turns(
    runs: dict[str, Callable], repeats: int
) -> tuple[dict[str, float], dict[str, object]]:
    """Best wall time in seconds and result of each; in turns, so that a busy machine hits all."""
    seconds, results = dict.fromkeys(runs, float("inf")), {}
    for _ in range(repeats):
        for name, function in runs.items():
            begin = time.perf_counter()
            results[name] = function()
            seconds[name] = min(seconds[name], time.perf_counter() - begin)
    return seconds, results


def bench_tracking(args: argparse.Namespace) -> None:
    """Print the table of tracking scores."""
    rng = np.random.default_rng(args.seed)
    pairs = [make_sequence(rng, args.frames, args.tracks) for _ in range(args.sequences)]
    gts, results = [p[0] for p in pairs], [p[1] for p in pairs]
    lists = per_image_lists(gts, results)
    runs = {
        "ours: CLEAR + IDF1 + HOTA": lambda: score_ours(gts, results),
        "ours: evaluate_mot_challenge": lambda: score_ours_with_preprocessing(gts, results),
        "ours: eval_mot (CLEAR + IDF1)": lambda: eval_mot(*lists, logger="silent"),
        "trackeval: CLEAR + IDF1 + HOTA": lambda: score_trackeval(gts, results),
        "motmetrics: CLEAR + IDF1": lambda: score_motmetrics(gts, results),
    }
    print(
        f"{args.sequences} sequences x {args.frames} frames x {args.tracks} tracks, "
        f"{sum(map(len, results))} result boxes"
    )
    seconds, scores = time_in_turns(runs, args.repeats)
    base = seconds["ours: CLEAR + IDF1 + HOTA"]
    for name, value in seconds.items():
        print(f"{name:32s} {value:8.3f} s  {value / base:6.1f} x")
    ours = scores["ours: CLEAR + IDF1 + HOTA"]
    for name in ("trackeval: CLEAR + IDF1 + HOTA", "motmetrics: CLEAR + IDF1"):
        shared = [key for key in scores[name] if key in ours]
        worst = max(abs(float(scores[name][key]) - ours[key]) for key in shared)
        print(f"largest difference to {name.split(':')[0]} over {len(shared)} values: {worst:.1e}")
    print("  ".join(f"{key} {ours[key]:.4g}" for key in ("MOTA", "IDF1", "HOTA", "IDs", "FM")))


def bench_boxes(args: argparse.Namespace) -> None:
    """Print the table of bbox AP."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    from mmtrack.core.evaluation import coco_eval_classes

    data = make_detections(np.random.default_rng(args.seed), args.images, 12, 10)
    chosen = coco_eval_classes()
    runs = {
        chosen[1].__module__.split(".")[0]: lambda: average_precision(*chosen, data),
        "pycocotools": lambda: average_precision(COCO, COCOeval, data),
    }
    print(f"bbox AP of {args.images} images, {len(data[1])} detections")
    seconds, values = time_in_turns(runs, args.repeats)
    base = next(iter(seconds.values()))
    for name, value in seconds.items():
        print(f"{name:32s} {value:8.3f} s  {value / base:6.1f} x  mAP {values[name]:.6f}")


def main() -> None:
    """Run both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sequences", type=int, default=7)
    parser.add_argument("--frames", type=int, default=900)
    parser.add_argument("--tracks", type=int, default=30)
    parser.add_argument("--images", type=int, default=2000, help="images of the bbox AP table")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each, the best counts")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    bench_tracking(args)
    bench_boxes(args)


if __name__ == "__main__":
    main()
