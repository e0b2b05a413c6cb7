"""Convert CrowdHuman to COCO.

Example:
    python tools/convert_datasets/mot/crowdhuman2coco.py -i data/crowdhuman \
        -o data/crowdhuman/annotations
"""

from __future__ import annotations

from pathlib import Path

from mmtrack.datasets.converters import converter_arguments, readable_errors
from mmtrack.datasets.converters.crowdhuman import convert_crowdhuman


def main() -> None:
    """Convert both subsets."""
    parser = converter_arguments(
        "Convert CrowdHuman to COCO.",
        "folder with annotation_train.odgt, annotation_val.odgt, train/Images and val/Images",
        "folder receiving crowdhuman_train.json and crowdhuman_val.json",
    )
    args = parser.parse_args()
    for subset in ("train", "val"):
        writer = convert_crowdhuman(args.input, subset)
        path = Path(args.output) / f"crowdhuman_{subset}.json"
        writer.write(path)
        print(f"{path}: {writer.summary()}")


if __name__ == "__main__":
    with readable_errors():
        main()
