"""List the videos of TrackingNet for TrackingNetDataset.

Example:
    python tools/convert_datasets/trackingnet/gen_trackingnet_infos.py -i data/trackingnet \
        -o data/trackingnet/annotations
"""

from __future__ import annotations

from functools import partial

from mmtrack.datasets.converters import readable_errors
from mmtrack.datasets.converters.sot import generate_infos, sot_arguments
from mmtrack.datasets.converters.sot_benchmarks import (
    TRACKINGNET_CHUNKS,
    TRACKINGNET_SPLITS,
    find_trackingnet,
)


def chunk_numbers(texts: list[str]) -> list[int]:
    """Numbers of chunks given on the command line.

    Raises:
        ValueError: something is neither a number nor ``all``.
    """
    if "all" in texts:
        return list(range(TRACKINGNET_CHUNKS))
    wrong = [text for text in texts if not text.isdecimal()]
    if wrong:
        raise ValueError(f"--chunks takes numbers or all, not {' '.join(wrong)}")
    return [int(text) for text in texts]


def main() -> None:
    """Convert."""
    parser = sot_arguments(
        "List the videos of TrackingNet for TrackingNetDataset.",
        "root with TRAIN_0 to TRAIN_11 and TEST",
        "folder receiving trackingnet_<split>_infos.txt",
        TRACKINGNET_SPLITS,
    )
    parser.add_argument(
        "--chunks", nargs="+", default=["all"], help="numbers of the training chunks, or all"
    )
    args = parser.parse_args()
    find = partial(find_trackingnet, args.input, chunks=chunk_numbers(args.chunks))
    finders = {name: partial(find, name) for name in TRACKINGNET_SPLITS}
    generate_infos(finders, args.split, args.output, "trackingnet_{split}_infos.txt")


if __name__ == "__main__":
    with readable_errors():
        main()
