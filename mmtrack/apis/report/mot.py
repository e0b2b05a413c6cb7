"""Tracks scored as MOTChallenge does: from a data set, or from tables of boxes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mmtrack.core.evaluation import (
    MOTTable,
    evaluate_mot_challenge,
    mot_challenge_judgement,
    mot_challenge_sequence_curves,
)
from mmtrack.core.evaluation.hota import ALPHAS
from mmtrack.core.evaluation.mot_challenge import OVERALL
from mmtrack.core.evaluation.mot_errors import NO_ID, BoxJudgement
from mmtrack.core.visualization.report import (
    BoxColumns,
    Chart,
    Column,
    ErrorKind,
    Report,
    ScoreTable,
    Video,
)
from mmtrack.core.visualization.tracks import ERROR_KINDS
from mmtrack.datasets.mot_results import FILE_ORIGIN

from .frames import Frames

_NAMES = {
    "FP": "false positive",
    "FN": "missed object",
    "IDSW": "identity switch",
}
KINDS = tuple(ErrorKind(key, _NAMES[key], color, key == "FN") for key, color in ERROR_KINDS)


def percent(name: str, text: str) -> Column:
    """A ratio."""
    return Column(name, text, percent=True)


def count(name: str, text: str, better: str = "low") -> Column:
    """A number of things."""
    return Column(name, text, digits=0, better=better)


COLUMNS = (
    percent("HOTA", "higher order tracking accuracy: detection and association together"),
    percent("DetA", "detection accuracy of HOTA"),
    percent("AssA", "association accuracy of HOTA"),
    percent("IDF1", "share of boxes with the right identity over whole tracks"),
    percent("MOTA", "1 - (FP + FN + IDs) / objects"),
    Column("MOTP", "mean 1 - IoU of the matches", digits=3, better="low"),
    percent("Rcll", "found objects of all objects"),
    percent("Prcn", "right boxes of all results"),
    count("FP", "false positives"),
    count("FN", "missed objects"),
    count("IDs", "identity switches"),
    count("FM", "interruptions of tracks"),
    count("GT", "objects' tracks", ""),
    count("MT", "objects followed for 80 % of their time", "high"),
    count("PT", "objects followed for 20 to 80 %", ""),
    count("ML", "objects followed for less than 20 %"),
)
HEADLINE = ("HOTA", "IDF1", "MOTA", "FP", "FN", "IDs")
CURVES = ("HOTA", "DetA", "AssA")
NOTE_ERRORS = (
    "Errors are those that the CLEAR scores count: every box keeps what the evaluation made of it, "
    "whatever score threshold hides it here."
)


@dataclass(frozen=True)
class ScoredTables:
    """Everything that the evaluation says; keys are names of videos, and OVERALL for the sum."""

    scores: Mapping[str, Mapping[str, float]]
    curves: Mapping[str, Mapping[str, np.ndarray]]
    judged: Mapping[str, BoxJudgement]


def score_tables(
    truth: Mapping[str, MOTTable],
    tables: Mapping[str, MOTTable],
    *,
    benchmark: str,
    seq_lengths: Mapping[str, int] | None,
    iou_thr: float = 0.5,
) -> ScoredTables:
    """Scores, curves and judgement of the boxes; arguments of `evaluate_mot_challenge`."""
    options = {"benchmark": benchmark, "seq_lengths": seq_lengths}
    return ScoredTables(
        evaluate_mot_challenge(truth, tables, iou_thr=iou_thr, **options),
        mot_challenge_sequence_curves(truth, tables, **options),
        mot_challenge_judgement(truth, tables, iou_thr=iou_thr, **options),
    )


def mot_report(
    base: Report,
    frames: Sequence[Frames],
    tables: Mapping[str, MOTTable],
    truth: Mapping[str, MOTTable],
    scored: ScoredTables | None,
) -> Report:
    """Fill a report.

    Args:
        base: Title, facts and classes of the report.
        frames: Frames of each video.
        tables: Results of each video, in pixels and frames of the benchmark.
        truth: Ground truth of the videos that have it.
        scored: What the evaluation says of the videos with ground truth; None without any.
    """
    videos = [_video(own, tables[own.name], truth.get(own.name), scored) for own in frames]
    if scored is None:
        return replace(base, task="MOT", videos=videos)
    places = {own.name: i for i, own in enumerate(frames)}
    rows = {
        name: [row.get(column.name) for column in COLUMNS] for name, row in scored.scores.items()
    }
    overall = scored.scores[OVERALL]
    return replace(
        base,
        task="MOT",
        kinds=KINDS,
        headline=[(c, overall[c.name]) for c in COLUMNS if c.name in HEADLINE],
        tables=[
            ScoreTable(
                "Scores", COLUMNS, rows, {n: places[n] for n in rows if n in places}, OVERALL
            )
        ],
        charts=[hota_chart(scored.curves[OVERALL], "all videos")],
        videos=videos,
        notes=[*base.notes, NOTE_ERRORS],
    )


def hota_chart(curves: Mapping[str, np.ndarray], what: str) -> Chart:
    """HOTA and its parts over the localisation threshold."""
    lines = {name: curves[name] for name in CURVES}
    return Chart(f"HOTA, {what}", "least IoU of a match", "score", ALPHAS, lines)


def _video(
    frames: Frames, table: MOTTable, truth: MOTTable | None, scored: ScoredTables | None
) -> Video:
    judged = scored.judged.get(frames.name) if scored is not None else None
    results = {"ids": table.ids, "scores": table.scores}
    objects = None
    if truth is not None and judged is not None:
        results.update(
            states=judged.results,
            partners=partner_ids(judged.partners, truth.ids),
        )
        objects = BoxColumns.make(
            frames.index_of(truth.frames),
            _corners(truth.boxes),
            ids=truth.ids,
            scores=truth.scores,
            states=judged.objects,
            partners=followers(judged.partners, table.ids, len(truth)),
        )
    charts = [hota_chart(scored.curves[frames.name], frames.name)] if judged is not None else []
    return Video(
        name=frames.name,
        size=frames.size,
        frame_numbers=frames.numbers,
        results=BoxColumns.make(frames.index_of(table.frames), _corners(table.boxes), **results),
        truth=objects,
        charts=charts,
        picture_paths=frames.pictures,
    )


def _corners(boxes: np.ndarray) -> np.ndarray:
    """x1, y1, x2, y2 from 0 of boxes x, y, width, height of a result file, which count from 1."""
    corner = boxes[:, :2] - FILE_ORIGIN
    return np.concatenate((corner, corner + boxes[:, 2:]), axis=1)


def partner_ids(partners: np.ndarray, gt_ids: np.ndarray) -> np.ndarray:
    """Id of the object that each result is matched to, -1 for none.

    Args:
        partners: Row of the object of each result, ``(M,)``, -1 for none.
        gt_ids: Id of each row of the ground truth, ``(N,)``.
    """
    ids = np.full(len(partners), NO_ID)
    matched = partners >= 0
    ids[matched] = gt_ids[partners[matched]]
    return ids


def followers(partners: np.ndarray, result_ids: np.ndarray, num_objects: int) -> np.ndarray:
    """Id of the result that each object is matched to, ``(N,)``, -1 for none."""
    ids = np.full(num_objects, NO_ID)
    matched = partners >= 0
    ids[partners[matched]] = result_ids[matched]
    return ids
