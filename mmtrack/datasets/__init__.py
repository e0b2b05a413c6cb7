"""Data sets, the readers of their annotations, samplers and pipelines."""

from mmdet.datasets import ClassBalancedDataset, MultiImageMixDataset, RepeatDataset

from . import pipelines, samplers
from .builder import DATASETS, PIPELINES, build_dataloader, build_dataset
from .coco_video_dataset import CocoVideoDataset
from .dancetrack_dataset import DanceTrackDataset
from .dataset_wrappers import ConcatDataset, RandomSampleConcatDataset
from .mot_challenge_dataset import MOTChallengeDataset
from .parsers import CocoVID
from .reid_dataset import ReIDDataset

__all__ = [
    "DATASETS",
    "PIPELINES",
    "ClassBalancedDataset",
    "CocoVID",
    "CocoVideoDataset",
    "ConcatDataset",
    "DanceTrackDataset",
    "MOTChallengeDataset",
    "MultiImageMixDataset",
    "RandomSampleConcatDataset",
    "ReIDDataset",
    "RepeatDataset",
    "build_dataloader",
    "build_dataset",
    "pipelines",
    "samplers",
]
