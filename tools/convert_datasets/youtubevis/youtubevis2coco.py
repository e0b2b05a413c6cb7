"""Convert YouTube-VIS 2019 or 2021 to CocoVID.

Example:
    python tools/convert_datasets/youtubevis/youtubevis2coco.py -i data/youtube_vis_2019 \
        -o data/youtube_vis_2019/annotations --version 2019
"""

from __future__ import annotations

from pathlib import Path

from mmtrack.datasets.converters import converter_arguments, readable_errors
from mmtrack.datasets.converters.youtube_vis import SPLITS, annotation_file, convert_youtube_vis


def main() -> None:
    """Convert every split that is there."""
    parser = converter_arguments(
        "Convert YouTube-VIS to CocoVID.",
        "root with the official annotation files: train.json, ... (2019) or "
        "train/instances.json, ... (2021)",
        "folder receiving youtube_vis_<version>_<split>.json",
    )
    parser.add_argument("--version", required=True, choices=("2019", "2021"), help="edition")
    args = parser.parse_args()
    sources = {split: annotation_file(args.input, args.version, split) for split in SPLITS}
    if not any(source.is_file() for source in sources.values()):
        raise FileNotFoundError(
            f"there is none of {', '.join(str(source) for source in sources.values())}"
        )
    for split, source in sources.items():
        if not source.is_file():
            print(f"{source} is not there, {split} is left out")
            continue
        writer = convert_youtube_vis(source, args.version)
        path = Path(args.output) / f"youtube_vis_{args.version}_{split}.json"
        writer.write(path)
        print(f"{path}: {writer.summary()}")


if __name__ == "__main__":
    with readable_errors():
        main()
