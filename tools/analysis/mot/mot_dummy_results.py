"""Write empty result files for all videos of an annotation file.

A sanity check for evaluation and submission: every video is there, and nothing is found in it.

Example:
    python tools/analysis/mot/mot_dummy_results.py \
        data/MOT17/annotations/test_cocoformat.json work_dirs/dummy/track
"""

from __future__ import annotations

import argparse
import json
import os.path as osp

from mmtrack.apis.cli import user_errors
from mmtrack.utils.file_io import atomic_write


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
    with open(path) as file:
        try:
            content = json.load(file)
        except json.JSONDecodeError as error:
            raise ValueError(f"{path} is not json: {error}") from None
    if not isinstance(content, dict) or not content.get("videos"):
        raise ValueError(f"{path} has no list of 'videos': a CocoVID annotation file is expected")
    return [video["name"] for video in content["videos"]]


def main() -> None:
    """Write the files; files with content are not overwritten."""
    args = parse_args()
    with user_errors():
        files = [osp.join(args.out_folder, f"{n}.txt") for n in video_names(args.json_file)]
        full = [file for file in files if osp.isfile(file) and osp.getsize(file)]
        if full:
            raise FileExistsError(f"{full[0]} has results: name another folder")
        for file in files:
            with atomic_write(file):
                pass
    print(f"written: {len(files)} empty files in {args.out_folder}")


if __name__ == "__main__":
    main()
