"""Convert ImageNet VID to CocoVID.

Example:
    python tools/convert_datasets/ilsvrc/imagenet2coco_vid.py -i data/ILSVRC \
        -o data/ILSVRC/annotations
"""

from __future__ import annotations

from pathlib import Path

from mmtrack.datasets.converters import converter_arguments, progress_bar, readable_errors
from mmtrack.datasets.converters.ilsvrc import (
    convert_vid,
    vid_training_videos,
    vid_validation_videos,
)


def main() -> None:
    """Convert the training and the validation videos."""
    parser = converter_arguments(
        "Convert ImageNet VID to CocoVID.",
        "ILSVRC root with Annotations/VID, Lists/VID_train_15frames.txt and "
        "Lists/VID_val_videos.txt",
        "folder receiving imagenet_vid_train.json and imagenet_vid_val.json",
    )
    args = parser.parse_args()
    # both lists are read first, so that nothing is written where one is missing
    subsets = {"train": vid_training_videos(args.input), "val": vid_validation_videos(args.input)}
    for subset, videos in subsets.items():
        frames = sum(video.length for video in videos)
        writer = convert_vid(args.input, videos, progress_bar(frames, "frames"))
        path = Path(args.output) / f"imagenet_vid_{subset}.json"
        writer.write(path)
        print(f"{path}: {writer.summary()}")


if __name__ == "__main__":
    with readable_errors():
        main()
