"""Entry points for programs: build a model, run it, train it, test it."""

from mmtrack.core.evaluation.test_loop import multi_gpu_test, single_gpu_test

from .inference import inference_mot, inference_sot, inference_vid, init_model
from .random_seed import init_random_seed, set_random_seed
from .train import train_model

__all__ = [
    "inference_mot",
    "inference_sot",
    "inference_vid",
    "init_model",
    "init_random_seed",
    "multi_gpu_test",
    "set_random_seed",
    "single_gpu_test",
    "train_model",
]
