r"""Download a VOT challenge from the server of its organisers.

Example:
    python tools/convert_datasets/vot/download_vot.py --dataset_name vot2018 \
        --save_path data/vot2018/data
"""

from __future__ import annotations

import argparse

from mmtrack.datasets.converters import readable_errors
from mmtrack.datasets.converters.vot_download import DESCRIPTIONS, download_vot


def main() -> None:
    """Download."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--dataset_name",
        "--dataset",
        choices=sorted(DESCRIPTIONS),
        default="vot2018",
        help="challenge to download",
    )
    parser.add_argument("--save_path", default="./", help="folder of the videos")
    parser.add_argument("--url", help="description of the challenge on another server")
    args = parser.parse_args()
    download_vot(args.url or DESCRIPTIONS[args.dataset_name], args.save_path, print)


if __name__ == "__main__":
    with readable_errors():
        main()
