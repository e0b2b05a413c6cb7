"""Add the objects of COCO 2017 to those of LVIS v0.5, to train QDTrack for TAO.

Example:
    python tools/convert_datasets/tao/merge_coco_with_lvis.py \
        --lvis data/lvis/annotations/lvis_v0.5_train.json \
        --coco data/coco/annotations/instances_train2017.json \
        --mapping data/lvis/annotations/coco_to_lvis_synset.json \
        --output-json data/lvis/annotations/lvisv0.5+coco_train.json
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from mmtrack.datasets.converters import progress_bar, readable_errors
from mmtrack.datasets.converters.lvis import merge_files
from mmtrack.utils.file_io import atomic_write


def main() -> None:
    """Merge two annotation files."""
    parser = argparse.ArgumentParser(description="Add the objects of COCO to those of LVIS.")
    parser.add_argument("--lvis", required=True, type=Path, help="LVIS train json")
    parser.add_argument("--coco", required=True, type=Path, help="COCO train json")
    parser.add_argument(
        "--mapping", required=True, type=Path, help="json that maps COCO names to synsets"
    )
    parser.add_argument(
        "--output-json", "--output", required=True, type=Path, help="merged json to write"
    )
    parser.add_argument(
        "--iou-thresh",
        type=float,
        default=0.7,
        help="COCO masks overlapping any LVIS mask above this IoU are left out",
    )
    args = parser.parse_args()
    lvis, coco, merged = merge_files(
        args.lvis, args.coco, args.mapping, args.iou_thresh, lambda n: progress_bar(n, "images")
    )
    with atomic_write(args.output_json) as file:
        json.dump(merged, file)
    added = len(merged["annotations"]) - len(lvis["annotations"])
    print(
        f"{args.output_json}: {len(lvis['annotations'])} objects of LVIS and {added} of "
        f"{len(coco['annotations'])} of COCO"
    )


if __name__ == "__main__":
    with readable_errors():
        main()
