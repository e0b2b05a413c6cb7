r"""Try all combinations of tracker settings on the test data set of a config.

Settings that the config gives as lists are searched, for example obj_score_thr=[0.4, 0.5, 0.6]:
    python tools/analysis/mot/mot_param_search.py \
        configs/mot/tracktor/tracktor_faster-rcnn_r50_fpn_4e_mot17-public-half_search.py

The network sees every frame once. Detections and embeddings are kept on disk, and the combinations
run on them in parallel processes; trackers that read frames (Tracktor, QDTrack) run side by side in
the one pass, and their tracks are kept. The folder --work-dir receives scores.csv (best first) and
best_config.py. What is finished is kept there, so the same command goes on after an interruption.

With --detections no network runs and no image is read:
    python tools/analysis/mot/mot_param_search.py \
        configs/mot/deepsort/sort_faster-rcnn_fpn_4e_mot17-private.py \
        --detections MOT15/train --gt MOT15/train \
        --cfg-options model.tracker.match_iou_thr="[0.2,0.3,0.5]"
"""

from __future__ import annotations

import argparse
import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # OpenMP reads it when torch is imported

import os.path as osp
import pickle
from pathlib import Path
from typing import Any

import torch.distributed as dist

from mmtrack.apis.cli import (
    add_config_options,
    add_device_argument,
    add_launcher_arguments,
    add_speed_arguments,
    add_trust_argument,
    export_local_rank,
    load_config,
    user_errors,
)
from mmtrack.apis.detection_files import DetectionFiles
from mmtrack.apis.environment import local_process_count
from mmtrack.apis.mot_search import (
    Score,
    ScoreFolder,
    check_keys,
    combine,
    format_table,
    rank,
    results_of,
    score_tracks,
    search_space,
    table_of,
    with_settings,
    write_search,
)
from mmtrack.apis.recorded_dataset import RecordedDataset
from mmtrack.apis.replay import VideoTracks
from mmtrack.apis.task import build_task_model
from mmtrack.apis.test_options import evaluation_options
from mmtrack.apis.video_store import on_first_process
from mmtrack.core.utils.fork import fork_map
from mmtrack.core.utils.processes import usable_cores
from mmtrack.core.visualization import ResultDrawer
from mmtrack.utils import get_root_logger
from mmtrack.utils.file_io import atomic_write

import mmcv
from mmcv import DictAction
from mmcv.runner import get_dist_info

SEARCH_METRICS = ("MOTA", "IDF1", "FN", "FP", "IDs", "MT", "ML")
DRAWN_FPS = 3
SHOWN_ROWS = 20


def parse_args() -> argparse.Namespace:
    """Read and check the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", help="config file with lists of values in model.tracker")
    parser.add_argument("--checkpoint", help="weights of the whole model")
    parser.add_argument("--detections", help="search on these files, see tools/track_detections.py")
    parser.add_argument("--gt", help="with --detections: folder with SEQUENCE/gt/gt.txt")
    parser.add_argument("--benchmark", help="with --detections: rules of scoring, such as MOT17")
    parser.add_argument("--work-dir", help="folder of the results; work_dirs/<config>_search")
    parser.add_argument(
        "--cache", help="folder of detections and embeddings; one of its own in --work-dir"
    )
    parser.add_argument("--workers", type=int, help="processes of this machine; its usable cores")
    parser.add_argument("--sort-by", help="score that counts; the first of search_metrics")
    parser.add_argument("--out", help="file for the raw results: .pkl or .pickle")
    parser.add_argument("--log", help="log file; search.log in --work-dir by default")
    parser.add_argument(
        "--fuse-conv-bn", action="store_true", help="fold batch norm into convolutions"
    )
    parser.add_argument("--gpu-id", type=int, default=0, help="index of the GPU of this run")
    parser.add_argument(
        "--format-only", action="store_true", help="write submission files, compute no metrics"
    )
    parser.add_argument(
        "--eval", nargs="+", metavar="METRIC", help="track, the only one that varies"
    )
    parser.add_argument("--show", action="store_true", help="display the best tracks")
    parser.add_argument("--show-dir", help="folder for drawn frames and videos of the best tracks")
    parser.add_argument(
        "--gpu-collect", action="store_true", help="accepted; processes share files instead"
    )
    parser.add_argument("--tmpdir", help="accepted; processes share --work-dir instead")
    parser.add_argument(
        "--eval-options",
        nargs="+",
        action=DictAction,
        metavar="KEY=VALUE",
        help="passed to dataset.evaluate or dataset.format_results",
    )
    parser.add_argument(
        "--allow-random-weights", action="store_true", help="search without loaded weights"
    )
    add_config_options(parser)
    add_launcher_arguments(parser)
    add_device_argument(parser)
    add_trust_argument(parser)
    add_speed_arguments(parser)
    args = parser.parse_args()
    check_args(parser, args)
    name = osp.splitext(osp.basename(args.config))[0]
    args.work_dir = args.work_dir or osp.join("work_dirs", f"{name}_search")
    export_local_rank(args)
    return args


def check_args(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    """Refuse combinations that have no result or no meaning."""
    if args.eval and args.format_only:
        parser.error("--eval and --format-only exclude each other")
    if args.eval and set(args.eval) != {"track"}:
        parser.error("--eval: trackers differ in their tracks only, so that track is searched")
    if args.out and not args.out.endswith((".pkl", ".pickle")):
        parser.error(f"--out {args.out}: the name must end in .pkl or .pickle")
    if bool(args.detections) != bool(args.gt):
        parser.error("--detections and --gt belong together")
    if args.detections and (args.show or args.show_dir or args.format_only or args.out):
        parser.error("--detections gives scores only")
    if args.workers is not None and args.workers < 1:
        parser.error(f"--workers must be at least 1, but is {args.workers}")


class DatasetSearch:
    """The search on the test data set of the config."""

    def __init__(self, cfg: mmcv.Config, settings: list[dict], args: argparse.Namespace):
        self.cfg, self.args = cfg, args
        self.configs = [with_settings(cfg.model.tracker, each) for each in settings]
        self.recorded = RecordedDataset(cfg, self.configs, args)
        self.dataset = self.recorded.dataset
        self.options = evaluation_options(cfg, ["track"], dict(args.eval_options or {}))
        scored = {"tracker": cfg.model.tracker, "options": self.options}
        self.identity = {**self.recorded.identity, **scored}

    def prepare(self) -> None:
        """Run the network where it has not run yet."""
        self.recorded.prepare()

    def tracks(self, number: int) -> dict[int, VideoTracks]:
        """Tracks of one combination by video."""
        return self.recorded.tracks(number, self.cfg.model.get("motion"))

    def score(self, number: int) -> dict[str, float]:
        """Scores of one combination."""
        return score_tracks(self.dataset, self.tracks(number), self.options)

    def results(self, number: int) -> dict[str, list]:
        """Results of one combination as those of tools/test.py."""
        return {"track_bboxes": results_of(self.dataset, self.tracks(number))}

    def draw(self, number: int) -> None:
        """Draw one combination."""
        cfg = mmcv.Config(self.cfg._cfg_dict.to_dict())
        cfg.model.tracker = self.configs[number]
        model = build_task_model(cfg)
        model.CLASSES = self.dataset.CLASSES
        frames = self.results(number)["track_bboxes"]
        with ResultDrawer(self.args.show_dir, DRAWN_FPS, self.args.show, 0.0) as drawer:
            for data, tracks in zip(self.recorded.loader, frames, strict=True):
                drawer.draw(model, data, [{"track_bboxes": tracks}])


class FileSearch:
    """The search on files of detections."""

    def __init__(self, cfg: mmcv.Config, settings: list[dict], args: argparse.Namespace):
        self.files = DetectionFiles(args.detections, args.gt, args.benchmark)
        self.cfg = cfg
        self.configs = [with_settings(cfg.model.tracker, each) for each in settings]
        self.identity = {"files": self.files.digest(), "model": cfg.model.to_dict()}

    def prepare(self) -> None:
        """Everything is there."""

    def score(self, number: int) -> dict[str, float]:
        """Scores of one combination."""
        tracks = self.files.track(self.configs[number], self.cfg.model.get("motion"))
        return self.files.score(tracks)["OVERALL"]


def score_all(
    search: DatasetSearch | FileSearch,
    settings: list[dict],
    args: argparse.Namespace,
    logger: Any,
) -> list[Score] | None:
    """Scores of all combinations on the first process, None on others."""
    rank_, world = get_dist_info()
    done = ScoreFolder(Path(args.work_dir) / "scores", search.identity)
    own = range(rank_, len(settings), world)
    todo = [number for number in own if done.load(settings[number]) is None]
    if len(todo) < len(own):
        logger.info(f"{len(own) - len(todo)} combinations are done already")
    workers = args.workers or max(1, usable_cores() // local_process_count())
    for count, (number, scores) in enumerate(fork_map(search.score, todo, workers), start=1):
        done.save(settings[number], scores)
        text = ", ".join(f"{k}={v}" for k, v in settings[number].items())
        logger.info(f"[{count}/{len(todo)}] {text}: {brief(scores)}")
    if dist.is_initialized():
        dist.barrier()
    if rank_:
        return None
    return [Score(each, done.load(each)) for each in settings]


def brief(scores: dict[str, float]) -> str:
    """The two or three scores that everybody asks for first."""
    return " ".join(f"{k} {scores[k]:.4f}" for k in ("MOTA", "IDF1", "HOTA") if k in scores)


def write_submissions(
    search: DatasetSearch, settings: list[dict], args: argparse.Namespace
) -> None:
    """Submission files of every combination, in folders with numbers."""
    options = dict(args.eval_options or {})
    for number, each in enumerate(settings):
        folder = osp.join(args.work_dir, "submissions", f"{number:03d}")
        search.dataset.format_results(search.results(number), resfile_path=folder, **options)
        print(f"{folder}: {each}")


def report(
    search: DatasetSearch | FileSearch, scores: list[Score], args: argparse.Namespace, logger: Any
) -> None:
    """Table, csv, best config, raw results and drawings."""
    known = scores[0].scores
    keys = list(search.cfg.get("search_metrics") or [k for k in SEARCH_METRICS if k in known])
    first = args.sort_by or keys[0]
    keys = [first, *(key for key in keys if key != first)]
    check_keys(keys, known)
    ranked = rank(scores, first)
    files = write_search(Path(args.work_dir), search.cfg, ranked, keys)
    table = format_table(table_of(ranked[:SHOWN_ROWS], keys))
    logger.info(f"{len(ranked)} combinations, sorted by {first}\n{table}")
    for file in files:
        print(f"written: {file}")
    if args.out:
        raw = [{"settings": s.settings, **search.results(n)} for n, s in enumerate(scores)]
        with atomic_write(args.out, "wb") as file:
            pickle.dump(raw, file)
    if args.show or args.show_dir:
        search.draw(scores.index(ranked[0]))


def main() -> None:
    """Search."""
    args = parse_args()
    with user_errors():
        cfg = load_config(args)
        if not cfg.model.get("tracker"):
            raise ValueError(f"{args.config}: the model has no tracker")
        settings = combine(search_space(cfg.model.tracker))
        os.makedirs(args.work_dir, exist_ok=True)
        logger = get_root_logger(args.log or osp.join(args.work_dir, "search.log"))
        logger.info(f"{len(settings)} combinations; results go to {args.work_dir}")
        search = (FileSearch if args.detections else DatasetSearch)(cfg, settings, args)
        search.prepare()
        if args.format_only:
            on_first_process(lambda: write_submissions(search, settings, args))
            return
        scores = score_all(search, settings, args, logger)
        if scores is not None:
            report(search, scores, args, logger)


if __name__ == "__main__":
    main()
