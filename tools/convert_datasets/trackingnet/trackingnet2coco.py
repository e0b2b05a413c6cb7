"""Convert TrackingNet to CocoVID.

Example:
    python tools/convert_datasets/trackingnet/trackingnet2coco.py -i data/trackingnet \
        -o data/trackingnet/annotations
"""

from __future__ import annotations

from functools import partial

from mmtrack.datasets.converters import readable_errors
from mmtrack.datasets.converters.sot import generate_json, sot_arguments
from mmtrack.datasets.converters.sot_benchmarks import TRACKINGNET_SPLITS, find_trackingnet


def main() -> None:
    """Convert."""
    parser = sot_arguments(
        "Convert TrackingNet to CocoVID.",
        "root with TRAIN_0 to TRAIN_11 and TEST",
        "folder receiving trackingnet_<split>.json",
        TRACKINGNET_SPLITS,
    )
    args = parser.parse_args()
    finders = {name: partial(find_trackingnet, args.input, name) for name in TRACKINGNET_SPLITS}
    generate_json(args.input, finders, args.split, args.output, "trackingnet_{split}.json")


if __name__ == "__main__":
    with readable_errors():
        main()
