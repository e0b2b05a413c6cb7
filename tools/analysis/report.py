r"""Show what a test run found as one HTML file: scores, charts, and every frame with its errors.

The file needs nothing else: it opens in a browser from the disk, without a network.

Examples:
    python tools/test.py CONFIG --checkpoint FILE --out results.pkl
    python tools/analysis/report.py results.pkl --config CONFIG --out report.html

    python tools/track_detections.py CONFIG --detections MOT15/train --out tracks
    python tools/analysis/report.py tracks --gt MOT15/train --out report.html

All tasks are shown: multiple objects, detections in videos, single objects, instances with masks.
"""

from __future__ import annotations

import argparse
import contextlib
import os.path as osp
import sys
from typing import Any

from mmtrack.apis.cli import add_config_options, load_config, user_errors
from mmtrack.apis.report import (
    DEFAULT_QUALITY,
    NoGroundTruth,
    encode_pictures,
    gather_mot_folder,
    gather_report,
    plan_pictures,
)
from mmtrack.apis.test_options import check_metrics, evaluation_options
from mmtrack.core.utils import Progress
from mmtrack.core.visualization.report import Report, write_page
from mmtrack.datasets import build_dataset
from mmtrack.version import __version__

import mmcv
from mmcv import DictAction

BENCHMARKS = ("MOT15", "MOT16", "MOT17", "MOT20", "DanceTrack")
MEGABYTE = 1e6


def parse_args() -> argparse.Namespace:
    """Read and check the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "results",
        help="raw results of tools/test.py --out (.pkl or .json; needs --config); a folder of "
        "SEQUENCE.txt files of MOTChallenge (with --gt or --config); for single objects also a "
        "folder or zip archive of text files (needs --config)",
    )
    parser.add_argument("--out", required=True, help="the .html file to write")
    parser.add_argument("--config", help="config whose data.test was tested")
    parser.add_argument(
        "--gt", help="folder of SEQUENCE/gt/gt.txt and SEQUENCE/img1, in the place of a config"
    )
    parser.add_argument(
        "--benchmark",
        choices=BENCHMARKS,
        help="rules of scoring with --gt; by default those of MOT15 where the ground truth names "
        "no classes and those of MOT17 elsewhere",
    )
    parser.add_argument("--images", help="folder of SEQUENCE/img1, where --gt has no images")
    parser.add_argument(
        "--eval",
        nargs="+",
        metavar="METRIC",
        help="what to show, as of tools/test.py: by default tracks where there are some, else "
        "boxes; scores of further metrics join the head of the page",
    )
    parser.add_argument(
        "--eval-options",
        nargs="+",
        action=DictAction,
        metavar="KEY=VALUE",
        help="passed to dataset.evaluate, as of tools/test.py",
    )
    parser.add_argument(
        "--no-gt", action="store_true", help="show the results alone, for hidden ground truth"
    )
    parser.add_argument("--title", help="heading of the page")
    parser.add_argument(
        "--max-frames",
        type=int,
        default=600,
        help="pictures in the file, all videos together (default 600); where there are more "
        "frames, half go to frames with errors and half are spread evenly; boxes are there for "
        "every frame",
    )
    parser.add_argument(
        "--image-width", type=int, default=640, help="pixels of pictures and masks (default 640)"
    )
    parser.add_argument(
        "--image-quality",
        type=int,
        default=DEFAULT_QUALITY,
        help=f"of the compression of pictures, 1 to 100 (default {DEFAULT_QUALITY})",
    )
    parser.add_argument("--no-images", action="store_true", help="boxes on a blank ground")
    add_config_options(parser)
    args = parser.parse_args()
    check_args(parser, args)
    return args


def check_args(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    """Refuse what cannot be shown."""
    if not osp.isdir(args.results) and args.config is None:
        parser.error(f"{args.results} is no folder of text files: give the --config of the test")
    if args.config and (args.gt or args.benchmark or args.images):
        parser.error("--gt, --benchmark and --images are for text files without --config")
    if args.config is None and (args.eval or args.eval_options or args.cfg_options):
        parser.error("--eval, --eval-options and --cfg-options need --config")
    if args.no_gt and args.gt:
        parser.error("--gt and --no-gt exclude each other")
    if args.config is None and not (args.gt or args.no_gt):
        parser.error("give --gt with the ground truth, or --no-gt to show results alone")
    if args.max_frames < 0 or args.image_width < 16:
        parser.error("--max-frames must be 0 or more, --image-width 16 or more")
    if not 1 <= args.image_quality <= 100:
        parser.error("--image-quality must be from 1 to 100")


def gather(args: argparse.Namespace) -> Report:
    """Everything that the page shows, but the pictures."""
    name = osp.basename(osp.normpath(args.results))
    facts = {"results": name, "mmtrack": __version__}
    title = args.title or osp.splitext(osp.basename(args.config or name))[0]
    base = Report(title, "", facts, (), (), (), (), (), ())
    if args.config is None:
        return gather_mot_folder(
            base, args.results, args.gt, args.benchmark, args.images, pictures=not args.no_images
        )
    cfg = load_config(args)
    if cfg.get("data", {}).get("test") is None:
        raise ValueError(f"{args.config} has no data.test")
    dataset = build_dataset(cfg.data.test, {"test_mode": True})
    if args.eval:
        check_metrics(dataset, args.eval)
    facts["data set"] = type(dataset).__name__
    try:
        return gather_report(
            base,
            dataset,
            args.results,
            options_of(cfg, args),
            truth=not args.no_gt,
            mask_width=args.image_width,
        )
    except NoGroundTruth as error:
        raise ValueError(f"{error}. --no-gt shows the results alone") from error


def options_of(cfg: mmcv.Config, args: argparse.Namespace) -> dict[str, Any]:
    """Arguments of dataset.evaluate, as tools/test.py makes them."""
    options = evaluation_options(cfg, args.eval or [], args.eval_options or {})
    if not args.eval:
        del options["metric"]
    return options


def main() -> None:
    """Gather, add pictures, write."""
    args = parse_args()
    with user_errors():
        report = gather(args)
        if not report.videos:
            raise ValueError(f"{args.results}: there are no videos to show")
        plan = plan_pictures(report.videos, 0 if args.no_images else args.max_frames)
        planned = sum(map(len, plan))
        with Progress(planned) if planned else contextlib.nullcontext() as progress:
            on_picture = progress.update if progress else None
            pictures = encode_pictures(
                report.videos, plan, args.image_width, on_picture, quality=args.image_quality
            )
        size = write_page(args.out, report, pictures)
    frames = sum(len(video.frame_numbers) for video in report.videos)
    weight = sum(len(image) for own in pictures for _, image in own) * 4 / 3
    sys.stdout.write(
        f"{args.out}: {size / MEGABYTE:.1f} MB; {len(report.videos)} videos, {frames} frames, "
        f"{planned} pictures ({weight / MEGABYTE:.1f} MB)\n"
    )
    if 0 < planned < frames:
        sys.stdout.write(
            "--max-frames adds pictures; --image-width and --image-quality change their size\n"
        )


if __name__ == "__main__":
    main()
