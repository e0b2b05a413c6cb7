"""Steps that turn samples of a data set into the input of a model.

Steps named ``Seq...`` work on a list of frames, the key frame first.
"""

from mmdet.datasets.builder import PIPELINES

from .augmentation import SeqPhotoMetricDistortion, SeqRandomCrop
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
    "ReIDFormatBundle",
    "SeqDefaultFormatBundle",
    "SeqLoadAnnotations",
    "SeqNormalize",
    "SeqPad",
    "SeqPhotoMetricDistortion",
    "SeqRandomCrop",
    "SeqRandomFlip",
    "SeqResize",
    "ToList",
    "VideoCollect",
    "build_pipeline",
    "decode_image",
    "optimize_pipeline",
]
