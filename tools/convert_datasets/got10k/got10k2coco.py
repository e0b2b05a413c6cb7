"""Convert GOT-10k to CocoVID.

Example:
    python tools/convert_datasets/got10k/got10k2coco.py -i data/got10k -o data/got10k/annotations
"""

from __future__ import annotations

from functools import partial

from mmtrack.datasets.converters import readable_errors
from mmtrack.datasets.converters.sot import generate_json, sot_arguments
from mmtrack.datasets.converters.sot_benchmarks import GOT10K_SPLITS, find_got10k


def main() -> None:
    """Convert."""
    parser = sot_arguments(
        "Convert GOT-10k to CocoVID.",
        "root with train/, val/, test/",
        "folder receiving got10k_<split>.json",
        GOT10K_SPLITS,
    )
    args = parser.parse_args()
    finders = {name: partial(find_got10k, args.input, name) for name in GOT10K_SPLITS}
    generate_json(args.input, finders, args.split, args.output, "got10k_{split}.json")


if __name__ == "__main__":
    with readable_errors():
        main()
