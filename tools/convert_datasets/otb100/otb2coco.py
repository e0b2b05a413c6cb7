"""Convert OTB100 to CocoVID.

Example:
    python tools/convert_datasets/otb100/otb2coco.py -i data/otb100 -o data/otb100/annotations
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from mmtrack.datasets.converters import readable_errors
from mmtrack.datasets.converters.sot import generate_json, sot_arguments
from mmtrack.datasets.converters.sot_benchmarks import find_otb100

INFOS = Path(__file__).with_name("otb100_infos.txt")


def main() -> None:
    """Convert."""
    parser = sot_arguments(
        "Convert OTB100 to CocoVID.",
        "folder that holds data/<video>",
        "folder receiving otb100.json",
    )
    args = parser.parse_args()
    finders = {"test": partial(find_otb100, args.input, INFOS)}
    generate_json(args.input, finders, "test", args.output, "otb100.json")


if __name__ == "__main__":
    with readable_errors():
        main()
