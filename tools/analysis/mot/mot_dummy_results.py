r"""Write empty result files for all videos of an annotation file.

A sanity check for evaluation and submission: every video is there, and nothing is found in it.

Example:
    python tools/analysis/mot/mot_dummy_results.py \
        data/MOT17/annotations/test_cocoformat.json work_dirs/dummy/track
"""

from __future__ import annotations

import argparse

from mmtrack.apis.cli import user_errors
from mmtrack.utils.file_io import atomic_write, path_below
from mmtrack.utils.reading import check_objects, read_json_object


def parse_args() -> argparse.Namespace:
    """Arguments of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("json_file", help="CocoVID annotations whose videos are used")
    parser.add_argument("out_folder", help="folder that receives an empty <video>.txt each")
    return parser.parse_args()


def video_names(path: str) -> list[str]:
    """Names of the videos of an annotation file.

    Raises:
        ValueError: it is no CocoVID file.
    """
    content = read_json_object(path)
    if not content.get("videos"):
        raise ValueError(f"{path} has no list of 'videos': a CocoVID annotation file is expected")
    videos = check_objects(content["videos"], {"name": (str,)}, f"{path}: videos")
    return [video["name"] for video in videos]


def write_empty(folder: str, names: list[str], source: str) -> None:
    """Write an empty file for each video; nothing is overwritten.

    Args:
        folder: Receives the files.
        names: Of the videos.
        source: File that they come from.

    Raises:
        FileExistsError: a file has results.
        ValueError: a name leads out of the folder.
    """
    files = [path_below(folder, f"{name}.txt", f"{source}: video") for name in names]
    full = [file for file in files if file.is_file() and file.stat().st_size]
    if full:
        raise FileExistsError(f"{full[0]} has results: name another folder")
    for file in files:
        with atomic_write(file):
            pass


def main() -> None:
    """Write the files; files with content are not overwritten."""
    args = parse_args()
    with user_errors():
        names = video_names(args.json_file)
        write_empty(args.out_folder, names, args.json_file)
    print(f"written: {len(names)} empty files in {args.out_folder}")


if __name__ == "__main__":
    main()
