"""Cut the people out of MOTChallenge training videos for re-identification.

Example:
    python tools/convert_datasets/mot/mot2reid.py -i data/MOT17 -o data/MOT17/reid \
        --val-split 0.2 --vis-threshold 0.3
"""

from __future__ import annotations

import argparse
from pathlib import Path

from mmtrack.datasets.converters import (
    MOTSequence,
    ReIDRules,
    converter_arguments,
    crop_identities,
    find_sequences,
    progress_bar,
    readable_errors,
    write_reid_lists,
)
from mmtrack.utils.folder_io import new_folder


def parse_args() -> argparse.Namespace:
    """Command line."""
    parser = converter_arguments(
        "Cut people out of MOTChallenge training videos and list them for re-identification.",
        "MOTChallenge root; only its train/ is read",
        "empty or new folder receiving imgs/ and meta/",
    )
    parser.add_argument(
        "--val-split", type=float, default=0.2, help="share of people kept for validation"
    )
    parser.add_argument(
        "--vis-threshold",
        type=float,
        default=0.3,
        help="boxes with visibility below this are dropped",
    )
    parser.add_argument(
        "--min-per-person", type=int, default=8, help="people with fewer crops are dropped"
    )
    parser.add_argument(
        "--max-per-person",
        type=int,
        default=1000,
        help="people with more crops are subsampled to this count",
    )
    return parser.parse_args()


def without_copies(sequences: list[MOTSequence]) -> list[MOTSequence]:
    """MOT17 has every video three times, one for each public detector: one of them is enough."""
    chosen = [sequence for sequence in sequences if "FRCNN" in sequence.name]
    return chosen or sequences


def main() -> None:
    """Cut and list."""
    args = parse_args()
    sequences = without_copies(find_sequences(Path(args.input) / "train"))
    rules = ReIDRules(args.vis_threshold, args.min_per_person, args.max_per_person)
    with new_folder(args.output) as folder:
        step = progress_bar(sum(len(sequence.images) for sequence in sequences), "images")
        people = crop_identities(sequences, folder / "imgs", rules, step)
        names = write_reid_lists(people, folder / "meta", args.val_split)
    count = sum(len(crops) for crops in people)
    print(f"{args.output}: {count} crops of {len(people)} people; meta/{', meta/'.join(names)}")


if __name__ == "__main__":
    with readable_errors():
        main()
