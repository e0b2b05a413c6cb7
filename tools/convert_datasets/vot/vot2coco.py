"""Convert a VOT challenge to CocoVID.

Example:
    python tools/convert_datasets/vot/vot2coco.py -i data/vot2018 -o data/vot2018/annotations \
        --dataset_type vot2018
"""

from __future__ import annotations

from functools import partial

from mmtrack.datasets.converters import readable_errors
from mmtrack.datasets.converters.sot import generate_json, sot_arguments
from mmtrack.datasets.converters.sot_benchmarks import VOT_TYPES, find_vot


def main() -> None:
    """Convert."""
    parser = sot_arguments(
        "Convert a VOT challenge to CocoVID.",
        "folder that holds data/<video>",
        "folder receiving <dataset_type>.json",
    )
    parser.add_argument(
        "--dataset_type",
        "--dataset-type",
        choices=VOT_TYPES,
        default="vot2018",
        help="challenge, which names the output",
    )
    args = parser.parse_args()
    finders = {"test": partial(find_vot, args.input)}
    generate_json(args.input, finders, "test", args.output, f"{args.dataset_type}.json")


if __name__ == "__main__":
    with readable_errors():
        main()
