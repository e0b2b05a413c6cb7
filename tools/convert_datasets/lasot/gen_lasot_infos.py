"""List the videos of LaSOT for LaSOTDataset.

Example:
    python tools/convert_datasets/lasot/gen_lasot_infos.py -i data/lasot/LaSOTBenchmark \
        -o data/lasot/annotations
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from mmtrack.datasets.converters import readable_errors
from mmtrack.datasets.converters.sot import generate_infos, sot_arguments
from mmtrack.datasets.converters.sot_benchmarks import LASOT_SPLITS, find_lasot
from mmtrack.datasets.converters.sot_video import read_names

TEST_NAMES = Path(__file__).with_name("testing_set.txt")


def main() -> None:
    """Convert."""
    parser = sot_arguments(
        "List the videos of LaSOT for LaSOTDataset.",
        "root with <class>/<class>-<n> folders",
        "folder receiving lasot_<split>_infos.txt",
        LASOT_SPLITS,
    )
    args = parser.parse_args()
    names = read_names(TEST_NAMES)
    finders = {name: partial(find_lasot, args.input, name, names) for name in LASOT_SPLITS}
    generate_infos(finders, args.split, args.output, "lasot_{split}_infos.txt")


if __name__ == "__main__":
    with readable_errors():
        main()
