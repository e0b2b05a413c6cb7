"""Convert LaSOT to CocoVID.

Example:
    python tools/convert_datasets/lasot/lasot2coco.py -i data/lasot/LaSOTBenchmark \
        -o data/lasot/annotations
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from mmtrack.datasets.converters import readable_errors
from mmtrack.datasets.converters.sot import generate_json, sot_arguments
from mmtrack.datasets.converters.sot_benchmarks import LASOT_SPLITS, find_lasot
from mmtrack.datasets.converters.sot_video import read_names

TEST_NAMES = Path(__file__).with_name("testing_set.txt")


def main() -> None:
    """Convert."""
    parser = sot_arguments(
        "Convert LaSOT to CocoVID.",
        "root with <class>/<class>-<n> folders",
        "folder receiving lasot_<split>.json",
        LASOT_SPLITS,
    )
    args = parser.parse_args()
    names = read_names(TEST_NAMES)
    finders = {name: partial(find_lasot, args.input, name, names) for name in LASOT_SPLITS}
    generate_json(args.input, finders, args.split, args.output, "lasot_{split}.json")


if __name__ == "__main__":
    with readable_errors():
        main()
