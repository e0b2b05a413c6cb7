"""Convert DanceTrack to CocoVID.

Example:
    python tools/convert_datasets/dancetrack/dancetrack2coco.py -i data/DanceTrack \
        -o data/DanceTrack/annotations
"""

from __future__ import annotations

from pathlib import Path

from mmtrack.datasets.converters import (
    IdCounter,
    convert_mot_subset,
    converter_arguments,
    find_sequences,
    readable_errors,
)


def main() -> None:
    """Convert every subset that is there."""
    parser = converter_arguments(
        "Convert DanceTrack to CocoVID.",
        "root with train/, val/, test/",
        "folder receiving {train,val,test}_cocoformat.json",
    )
    args = parser.parse_args()
    root = Path(args.input)
    present = [name for name in ("train", "val", "test") if (root / name).is_dir()]
    if not present:
        raise FileNotFoundError(f"{root} holds none of train/, val/, test/")
    counter = IdCounter()
    for name in present:
        path = Path(args.output) / f"{name}_cocoformat.json"
        writer = convert_mot_subset(find_sequences(root / name), counter)
        writer.write(path)
        print(f"{path}: {writer.summary()}, {writer.extra['num_instances']} people")


if __name__ == "__main__":
    with readable_errors():
        main()
