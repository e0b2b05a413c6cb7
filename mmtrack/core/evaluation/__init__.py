"""Metrics of tracking, detection and re-identification, and evaluation during training."""

from mmtrack.core.bbox import bbox2region

from .coco_api import coco_eval_classes
from .eval_hooks import DistEvalHook, EvalHook
from .mot import eval_mot
from .mot_challenge import (
    evaluate_mot_challenge,
    mot_challenge_curves,
    mot_challenge_errors,
    mot_challenge_judgement,
    mot_challenge_sequence_curves,
)
from .mot_table import MOTTable
from .reid_metrics import eval_reid
from .score_table import format_score_table
from .sot import eval_sot_accuracy_robustness, eval_sot_eao, eval_sot_ope
from .test_loop import multi_gpu_test, single_gpu_test
from .vid_speed import motion_ious, speed_average_precision
from .vis import eval_vis

__all__ = [
    "DistEvalHook",
    "EvalHook",
    "mot_challenge_curves",
    "mot_challenge_errors",
    "mot_challenge_judgement",
    "mot_challenge_sequence_curves",
    "MOTTable",
    "bbox2region",
    "coco_eval_classes",
    "eval_mot",
    "eval_reid",
    "eval_sot_accuracy_robustness",
    "eval_sot_eao",
    "eval_sot_ope",
    "eval_vis",
    "evaluate_mot_challenge",
    "format_score_table",
    "motion_ious",
    "multi_gpu_test",
    "single_gpu_test",
    "speed_average_precision",
]
