"""Print a whole config: its bases merged, its options applied."""

from __future__ import annotations

import argparse

from mmtrack.apis.cli import load_config, user_errors

from mmcv import DictAction


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", help="config file")
    parser.add_argument(
        "--options",
        "--cfg-options",
        dest="cfg_options",
        nargs="+",
        action=DictAction,
        metavar="KEY=VALUE",
        help="override values of the config",
    )
    return parser.parse_args()


def main() -> None:
    """Print."""
    args = parse_args()
    with user_errors():
        cfg = load_config(args)
    print(f"Config:\n{cfg.pretty_text}")


if __name__ == "__main__":
    main()
