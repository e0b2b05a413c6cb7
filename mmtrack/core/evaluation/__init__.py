"""Metrics of tracking, detection and re-identification, and evaluation during training."""

from .coco_api import coco_eval_classes
from .eval_hooks import DistEvalHook, EvalHook
from .mot import eval_mot
from .mot_challenge import evaluate_mot_challenge
from .mot_table import MOTTable
from .reid_metrics import eval_reid
from .score_table import format_score_table
from .test_loop import multi_gpu_test, single_gpu_test

__all__ = [
    "DistEvalHook",
    "EvalHook",
    "MOTTable",
    "coco_eval_classes",
    "eval_mot",
    "eval_reid",
    "evaluate_mot_challenge",
    "format_score_table",
    "multi_gpu_test",
    "single_gpu_test",
]
