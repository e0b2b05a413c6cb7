"""Unpack the archives of OTB100, TrackingNet or GOT-10k; never outside of the given folder.

Example:
    python tools/convert_datasets/unzip.py otb100 data/otb100
"""

from __future__ import annotations

import argparse

from mmtrack.datasets.converters import readable_errors
from mmtrack.datasets.converters.unzip import UNZIPPERS


def main() -> None:
    """Unpack."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("dataset", choices=sorted(UNZIPPERS))
    parser.add_argument("root", help="root of the data set, which has its archives")
    args = parser.parse_args()
    UNZIPPERS[args.dataset](args.root)


if __name__ == "__main__":
    with readable_errors():
        main()
