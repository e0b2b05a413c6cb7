"""Convert MOT15, MOT16, MOT17 or MOT20 to CocoVID.

Example:
    python tools/convert_datasets/mot/mot2coco.py -i data/MOT17 -o data/MOT17/annotations \
        --split-train --convert-det
"""

from __future__ import annotations

import argparse
from pathlib import Path

from mmtrack.datasets.converters import (
    IdCounter,
    MOTSequence,
    convert_mot_subset,
    converter_arguments,
    find_sequences,
    public_detections,
    readable_errors,
    write_detections,
)


def parse_args() -> argparse.Namespace:
    """Command line."""
    parser = converter_arguments(
        "Convert a MOTChallenge data set to CocoVID.",
        "MOTChallenge root with train/ and test/",
        "folder receiving <subset>_cocoformat.json (and <subset>_detections.pkl)",
    )
    parser.add_argument(
        "--convert-det",
        action="store_true",
        help="also write the public detections as <subset>_detections.pkl",
    )
    parser.add_argument(
        "--split-train",
        action="store_true",
        help="also write the subsets half-train and half-val, first and second half of each "
        "training video, and their gt/gt_<subset>.txt",
    )
    return parser.parse_args()


def split_halves(sequences: list[MOTSequence]) -> dict[str, list[MOTSequence]]:
    """The two halves of every sequence, with their own ground truth files."""
    halves: dict[str, list[MOTSequence]] = {"half-train": [], "half-val": []}
    for sequence in sequences:
        for name, half in zip(halves, sequence.halves(), strict=True):
            half.write_ground_truth(name)
            halves[name].append(half)
    return halves


def main() -> None:
    """Convert every subset that is there."""
    args = parse_args()
    root = Path(args.input)
    if not root.is_dir():
        raise FileNotFoundError(f"there is no folder {root}")
    present = [name for name in ("train", "test") if (root / name).is_dir()]
    if not present:
        raise FileNotFoundError(f"{root} holds neither train/ nor test/")
    subsets = {name: find_sequences(root / name) for name in present}
    if args.split_train:
        if "train" not in subsets:
            raise FileNotFoundError(f"--split-train needs {root / 'train'}")
        subsets.update(split_halves(subsets["train"]))
    counter = IdCounter()
    for name, sequences in subsets.items():
        path = Path(args.output) / f"{name}_cocoformat.json"
        writer = convert_mot_subset(sequences, counter)
        writer.write(path)
        print(f"{path}: {writer.summary()}, {writer.extra['num_instances']} people")
        if args.convert_det:
            path = path.with_name(f"{name}_detections.pkl")
            write_detections(path, public_detections(sequences))
            print(f"{path}: public detections")


if __name__ == "__main__":
    with readable_errors():
        main()
