"""Read official data set layouts and write CocoVID files; used by tools/convert_datasets."""

from .coco_vid import CocoVidWriter, IdCounter
from .images import image_size, list_images
from .mot import (
    MOTSequence,
    convert_mot_subset,
    find_sequences,
    public_detections,
    write_detections,
)
from .mot_reid import ReIDRules, crop_identities, write_reid_lists
from .script import converter_arguments, progress_bar, readable_errors

__all__ = [
    "CocoVidWriter",
    "IdCounter",
    "MOTSequence",
    "ReIDRules",
    "convert_mot_subset",
    "converter_arguments",
    "crop_identities",
    "find_sequences",
    "image_size",
    "list_images",
    "progress_bar",
    "public_detections",
    "readable_errors",
    "write_detections",
    "write_reid_lists",
]
