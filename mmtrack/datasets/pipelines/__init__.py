"""Steps that turn samples of a data set into the input of a model.

Steps named ``Seq...`` work on a list of frames, the key frame first.
"""

from mmdet.datasets.builder import PIPELINES

from .augmentation import SeqPhotoMetricDistortion, SeqRandomCrop
from .byte_frames import with_byte_frames
from .formatting import (
    CheckPadMaskValidity,
    ConcatSameTypeFrames,
    ConcatVideoReferences,
    MultiImagesToTensor,
    ReIDFormatBundle,
    SeqDefaultFormatBundle,
    ToList,
    VideoCollect,
)
from .fused import build_pipeline, optimize_pipeline
from .loading import (
    ImageReadError,
    LoadDetections,
    LoadMultiImagesFromFile,
    SeqLoadAnnotations,
    decode_image,
)
from .processing import MatchInstances
from .sot_augmentation import (
    SeqBboxJitter,
    SeqBlurAug,
    SeqBrightnessAug,
    SeqColorAug,
    SeqGrayAug,
    SeqShiftScaleAug,
)
from .sot_crops import SeqCropLikeSiamFC, SeqCropLikeStark
from .sot_fused import build_sot_pipeline
from .sot_sampling import PairSampling, TridentSampling
from .transforms import SeqNormalize, SeqPad, SeqRandomFlip, SeqResize

__all__ = [
    "PIPELINES",
    "CheckPadMaskValidity",
    "ConcatSameTypeFrames",
    "ConcatVideoReferences",
    "ImageReadError",
    "LoadDetections",
    "LoadMultiImagesFromFile",
    "MatchInstances",
    "MultiImagesToTensor",
    "PairSampling",
    "ReIDFormatBundle",
    "SeqBboxJitter",
    "SeqBlurAug",
    "SeqBrightnessAug",
    "SeqColorAug",
    "SeqCropLikeSiamFC",
    "SeqCropLikeStark",
    "SeqDefaultFormatBundle",
    "SeqGrayAug",
    "SeqLoadAnnotations",
    "SeqNormalize",
    "SeqPad",
    "SeqPhotoMetricDistortion",
    "SeqRandomCrop",
    "SeqRandomFlip",
    "SeqResize",
    "SeqShiftScaleAug",
    "ToList",
    "TridentSampling",
    "VideoCollect",
    "build_pipeline",
    "build_sot_pipeline",
    "decode_image",
    "optimize_pipeline",
    "with_byte_frames",
]
