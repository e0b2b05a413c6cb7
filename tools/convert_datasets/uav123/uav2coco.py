"""Convert UAV123 to CocoVID.

Example:
    python tools/convert_datasets/uav123/uav2coco.py -i data/UAV123 -o data/UAV123/annotations
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from mmtrack.datasets.converters import readable_errors
from mmtrack.datasets.converters.sot import generate_json, sot_arguments
from mmtrack.datasets.converters.sot_benchmarks import find_uav123

INFOS = Path(__file__).with_name("uav123_infos.txt")


def main() -> None:
    """Convert."""
    parser = sot_arguments(
        "Convert UAV123 to CocoVID.",
        "folder that holds data_seq/ and anno/",
        "folder receiving uav123.json",
    )
    args = parser.parse_args()
    finders = {"test": partial(find_uav123, args.input, INFOS)}
    generate_json(args.input, finders, "test", args.output, "uav123.json")


if __name__ == "__main__":
    with readable_errors():
        main()
