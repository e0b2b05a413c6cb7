"""Convert TAO to CocoVID.

Example:
    python tools/convert_datasets/tao/tao2coco.py -i data/tao/annotations --filter-classes
"""

from __future__ import annotations

import argparse

from mmtrack.datasets.converters import readable_errors
from mmtrack.datasets.converters.tao import convert_tao_folder


def main() -> None:
    """Convert every split that is there."""
    parser = argparse.ArgumentParser(description="Convert TAO to CocoVID.")
    parser.add_argument(
        "-i",
        "--input",
        required=True,
        help="folder with train.json, validation.json, test_without_annotations.json and "
        "test_categories.json; the results are written to it",
    )
    parser.add_argument(
        "--filter-classes",
        action="store_true",
        help="keep only the classes that occur in TAO (482 of 1230)",
    )
    args = parser.parse_args()
    for line in convert_tao_folder(args.input, filter_classes=args.filter_classes):
        print(line)


if __name__ == "__main__":
    with readable_errors():
        main()
