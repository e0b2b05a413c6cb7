"""List the videos of GOT-10k for GOT10kDataset.

Example:
    python tools/convert_datasets/got10k/gen_got10k_infos.py -i data/got10k \
        -o data/got10k/annotations
"""

from __future__ import annotations

from functools import partial

from mmtrack.datasets.converters import readable_errors
from mmtrack.datasets.converters.sot import generate_infos, sot_arguments
from mmtrack.datasets.converters.sot_benchmarks import GOT10K_SPLITS, GOT10K_VOT_SPLITS, find_got10k

SPLITS = GOT10K_SPLITS + GOT10K_VOT_SPLITS


def main() -> None:
    """Convert."""
    parser = sot_arguments(
        "List the videos of GOT-10k for GOT10kDataset.",
        "root with train/, val/, test/",
        "folder receiving got10k_<split>_infos.txt",
        SPLITS,
    )
    args = parser.parse_args()
    finders = {name: partial(find_got10k, args.input, name) for name in SPLITS}
    generate_infos(finders, args.split, args.output, "got10k_{split}_infos.txt")


if __name__ == "__main__":
    with readable_errors():
        main()
