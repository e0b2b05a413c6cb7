"""Data sets, the readers of their annotations, samplers and pipelines."""

from mmdet.datasets import ClassBalancedDataset, MultiImageMixDataset, RepeatDataset

from . import pipelines, samplers
from .base_sot_dataset import BaseSOTDataset
from .builder import DATASETS, PIPELINES, build_dataloader, build_dataset
from .coco_video_dataset import CocoVideoDataset
from .dancetrack_dataset import DanceTrackDataset
from .dataset_wrappers import ConcatDataset, RandomSampleConcatDataset
from .got10k_dataset import GOT10kDataset
from .imagenet_vid_dataset import ImagenetVIDDataset
from .lasot_dataset import LaSOTDataset
from .mot_challenge_dataset import MOTChallengeDataset
from .otb_dataset import OTB100Dataset
from .parsers import CocoVID
from .reid_dataset import ReIDDataset
from .sot_coco_dataset import SOTCocoDataset
from .sot_imagenet_vid_dataset import SOTImageNetVIDDataset
from .sot_test_dataset import SOTTestDataset
from .sot_train_dataset import SOTTrainDataset
from .tao_dataset import TaoDataset
from .trackingnet_dataset import TrackingNetDataset
from .uav123_dataset import UAV123Dataset
from .vot_dataset import VOTDataset
from .youtube_vis_dataset import YouTubeVISDataset

__all__ = [
    "DATASETS",
    "PIPELINES",
    "BaseSOTDataset",
    "ClassBalancedDataset",
    "CocoVID",
    "CocoVideoDataset",
    "ConcatDataset",
    "DanceTrackDataset",
    "GOT10kDataset",
    "ImagenetVIDDataset",
    "LaSOTDataset",
    "MOTChallengeDataset",
    "MultiImageMixDataset",
    "OTB100Dataset",
    "RandomSampleConcatDataset",
    "ReIDDataset",
    "RepeatDataset",
    "SOTCocoDataset",
    "SOTImageNetVIDDataset",
    "SOTTestDataset",
    "SOTTrainDataset",
    "TaoDataset",
    "TrackingNetDataset",
    "UAV123Dataset",
    "VOTDataset",
    "YouTubeVISDataset",
    "build_dataloader",
    "build_dataset",
    "pipelines",
    "samplers",
]
