"""List the videos of a VOT challenge for VOTDataset.

Example:
    python tools/convert_datasets/vot/gen_vot_infos.py -i data/vot2018 -o data/vot2018/annotations \
        --dataset_type vot2018
"""

from __future__ import annotations

from functools import partial

from mmtrack.datasets.converters import readable_errors
from mmtrack.datasets.converters.sot import generate_infos, sot_arguments
from mmtrack.datasets.converters.sot_benchmarks import VOT_TYPES, find_vot


def main() -> None:
    """Convert."""
    parser = sot_arguments(
        "List the videos of a VOT challenge for VOTDataset.",
        "folder that holds data/<video>",
        "folder receiving <dataset_type>_infos.txt",
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
    generate_infos(finders, "test", args.output, f"{args.dataset_type}_infos.txt")


if __name__ == "__main__":
    with readable_errors():
        main()
