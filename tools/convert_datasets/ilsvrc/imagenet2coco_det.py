"""Convert the training images of ImageNet DET to COCO.

Example:
    python tools/convert_datasets/ilsvrc/imagenet2coco_det.py -i data/ILSVRC \
        -o data/ILSVRC/annotations
"""

from __future__ import annotations

from pathlib import Path

from mmtrack.datasets.converters import converter_arguments, progress_bar, readable_errors
from mmtrack.datasets.converters.ilsvrc import convert_det, det_training_images


def main() -> None:
    """Convert the images of the 30 classes of ImageNet VID, and all others."""
    parser = converter_arguments(
        "Convert the training images of ImageNet DET to COCO.",
        "ILSVRC root with Annotations/DET and Lists/DET_train_30classes.txt",
        "folder receiving imagenet_det_30plus1cls.json",
    )
    args = parser.parse_args()
    listed, others = det_training_images(args.input)
    progress = progress_bar(len(listed) + len(others), "images")
    writer = convert_det(args.input, listed, others, progress)
    path = Path(args.output) / "imagenet_det_30plus1cls.json"
    writer.write(path)
    print(f"{path}: {writer.summary()}, {len(listed)} of the images for training")


if __name__ == "__main__":
    with readable_errors():
        main()
