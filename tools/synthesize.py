"""Render annotated video scenes and write them in the layout of a data set.

Example:
    python tools/synthesize.py mot17 --out data/MOT17 --sequences 4 --frames 60
    python tools/synthesize.py mot17 --help
"""

from __future__ import annotations

import argparse
from dataclasses import asdict, fields, replace
from pathlib import Path

from mmtrack.datasets.converters import progress_bar, readable_errors
from mmtrack.datasets.synthetic.layouts import LAYOUTS, Layout
from mmtrack.utils.folder_io import OwnedFolder
from mmtrack.version import __version__

MARKER = ".synthetic.json"


def frame_size(text: str) -> tuple[int, int]:
    """Parse ``640x360``."""
    width, _, height = text.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r} is no frame size, expected for example 640x360")
    return int(width), int(height)


def add_layout(commands: argparse._SubParsersAction, layout: Layout) -> None:
    """A sub-command with the options of a layout."""
    parser = commands.add_parser(
        layout.name, help=layout.description, description=layout.description
    )
    parser.add_argument("--out", required=True, type=Path, help="folder to write; new or empty")
    parser.add_argument(
        "--force",
        action="store_true",
        help="replace what this tool wrote to the folder before; other files stay",
    )
    for field in fields(layout.options):
        default = getattr(layout.options, field.name)
        flag, text = "--" + field.name.replace("_", "-"), field.metadata["help"]
        if isinstance(default, bool):
            parser.add_argument(flag, action="store_true", help=text)
        elif isinstance(default, tuple):
            shown = "x".join(map(str, default))
            parser.add_argument(
                flag,
                type=frame_size,
                default=default,
                metavar="WxH",
                help=f"{text} (default {shown})",
            )
        else:
            parser.add_argument(
                flag,
                type=type(default),
                default=default,
                metavar="N",
                help=f"{text} (default {default})",
            )


def parse_args() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(
        description="Render annotated video scenes and write them in the layout of a data set, "
        "so that its converters, configs and tools run without the data set."
    )
    commands = parser.add_subparsers(dest="layout", required=True, metavar="LAYOUT")
    for layout in LAYOUTS.values():
        add_layout(commands, layout)
    return parser.parse_args()


def main() -> None:
    """Render one data set."""
    args = parse_args()
    layout = LAYOUTS[args.layout]
    chosen = {field.name: getattr(args, field.name) for field in fields(layout.options)}
    options = replace(layout.options, **chosen)
    description = {"layout": layout.name, "options": asdict(options), "version": __version__}
    folder = OwnedFolder(args.out, MARKER)
    with folder.fill(description, replace=args.force) as staging:
        layout.write(staging, options, progress_bar(layout.count(options), "frames"))
    print(f"{args.out}: {layout.description}")


if __name__ == "__main__":
    with readable_errors():
        main()
