r"""Search penalty_k, lr and window_influence of SiameseRPN++ on the test data set of a config.

Example:
    python tools/analysis/sot/sot_siamrpn_param_search.py \
        configs/sot/siamese_rpn/siamese_rpn_r50_20e_uav123.py --checkpoint FILE --eval track \
        --penalty-k-range 0.01,0.22,0.05 --lr-range 0.4,0.61,0.05 --win-influ-range 0.01,0.22,0.05

All combinations go through each video together: a frame is read once, and search regions that are
equal go through the network once. The folder --out receives scores.csv (best first) and
best_config.py. Finished videos are kept there, so the same command goes on after an interruption.
"""

from __future__ import annotations

import argparse
import contextlib
import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # OpenMP reads it when torch is imported

import os.path as osp
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader

from mmtrack.apis.cli import (
    add_config_options,
    add_device_argument,
    add_launcher_arguments,
    add_speed_arguments,
    add_trust_argument,
    export_local_rank,
    file_errors,
    load_config,
    user_errors,
)
from mmtrack.apis.siamrpn_search import (
    BOXES,
    combine,
    format_table,
    identity_of,
    parse_range,
    rank,
    score_settings,
    table_of,
    track_videos,
    write_search,
)
from mmtrack.apis.task import hand_on_bytes
from mmtrack.apis.test_options import check_metrics, configured_metrics, evaluation_options
from mmtrack.apis.testing import build_test_loader, build_test_model, prepare_test_device
from mmtrack.apis.video_store import VideoStore, on_first_process
from mmtrack.core.evaluation.test_loop import collect_parts
from mmtrack.core.visualization import ResultDrawer
from mmtrack.models.sot import SiamRPN
from mmtrack.models.sot.siamrpn_search import SiamRPNSearch
from mmtrack.models.track_heads.siamese_rpn_head import TrackSettings
from mmtrack.utils import build_ddp, build_dp, get_root_logger

import mmcv
from mmcv import DictAction

DRAWN_FPS = 3
SHOWN_ROWS = 20


def parse_args() -> argparse.Namespace:
    """Read and check the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", help="config file")
    parser.add_argument("--checkpoint", help="weights of the whole model")
    for names, field in (
        (["--penalty-k-range"], "penalty_k"),
        (["--lr-range"], "lr"),
        # the manual has both spellings
        (["--win-influ-range", "--win-infu-range"], "window_influence"),
    ):
        parser.add_argument(
            *names,
            dest=field,
            metavar="START,STOP,STEP",
            help=f"values of {field}, STOP excluded; that of the config by default",
        )
    parser.add_argument("--out", help="folder of the results; work_dirs/<config>_search by default")
    parser.add_argument("--log", help="log file; search.log in --out by default")
    parser.add_argument("--eval", nargs="+", metavar="METRIC", help="metrics to compute")
    parser.add_argument(
        "--fuse-conv-bn", action="store_true", help="fold batch norm into convolutions"
    )
    parser.add_argument(
        "--max-crops", type=int, default=32, help="most crops of one network call, bounds memory"
    )
    parser.add_argument("--gpu-id", type=int, default=0, help="index of the GPU of this run")
    parser.add_argument("--show", action="store_true", help="display the boxes of all settings")
    parser.add_argument(
        "--show-score-thr", type=float, default=0.3, help="accepted as in tools/test.py; no effect"
    )
    parser.add_argument("--show-dir", help="folder for drawn frames and videos")
    parser.add_argument(
        "--gpu-collect", action="store_true", help="collect results through device memory (nccl)"
    )
    parser.add_argument("--tmpdir", help="collect results through files in this shared folder")
    parser.add_argument(
        "--eval-options",
        nargs="+",
        action=DictAction,
        metavar="KEY=VALUE",
        help="passed to dataset.evaluate",
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
    if args.max_crops < 1:
        parser.error(f"--max-crops must be at least 1, but is {args.max_crops}")
    if args.launcher != "none" and (args.show or args.show_dir):
        parser.error("--show and --show-dir need a run without --launcher")
    name = osp.splitext(osp.basename(args.config))[0]
    args.out = args.out or osp.join("work_dirs", f"{name}_search")
    export_local_rank(args)
    return args


def settings_to_try(cfg: mmcv.Config, args: argparse.Namespace) -> list[TrackSettings]:
    """All combinations of the ranges."""
    if cfg.model.get("type") != "SiamRPN":
        raise ValueError(f"{args.config}: the model is {cfg.model.get('type')}, not SiamRPN")
    options = {"penalty_k": "--penalty-k-range", "lr": "--lr-range"}
    options["window_influence"] = "--win-influ-range"
    ranges = {
        field: None if vars(args)[field] is None else parse_range(vars(args)[field], option)
        for field, option in options.items()
    }
    return combine(cfg.model.test_cfg.rpn, ranges)


def search_loader(cfg: mmcv.Config, args: argparse.Namespace) -> DataLoader:
    """Loader of the test data set."""
    loader = build_test_loader(cfg, args.launcher != "none")
    if not hasattr(loader.dataset, "num_frames_per_video"):
        raise ValueError(
            f"{args.config}: data.test must be one data set of single object tracking, not "
            f"{type(loader.dataset).__name__}"
        )
    if getattr(loader.dataset, "has_hidden_boxes", False):
        raise ValueError(
            f"{args.config}: the boxes of split {loader.dataset.split!r} of "
            f"{type(loader.dataset).__name__} are not public, so nothing can be scored; search on "
            "another split"
        )
    check_metrics(loader.dataset, args.eval)
    return loader


def parallel(model: SiamRPN, settings: list[TrackSettings], args: argparse.Namespace) -> nn.Module:
    """The search in the wrapper of its device or process."""
    search = SiamRPNSearch(model, settings, args.max_crops).eval()
    device = next(model.parameters()).device
    if args.launcher == "none":
        return build_dp(search, device.type, device_ids=[device.index or 0])
    device_ids = [torch.cuda.current_device()] if device.type == "cuda" else None
    return build_ddp(search, device.type, device_ids=device_ids, broadcast_buffers=False)


def track(
    model: nn.Module, loader: DataLoader, store: VideoStore, args: argparse.Namespace
) -> list[Any] | None:
    """Boxes of each video on the first process, None on others."""
    drawer = contextlib.nullcontext()
    if args.show or args.show_dir:
        drawer = ResultDrawer(args.show_dir, DRAWN_FPS, args.show, args.show_score_thr)
    with drawer as opened:
        videos = track_videos(model, loader, store, opened)
    part = [(video, store.load(video)[BOXES]) for video in videos]
    parts = collect_parts(part, args.tmpdir, args.gpu_collect)
    if parts is None:
        return None
    boxes = dict(pair for part in parts for pair in part)
    return [boxes[video] for video in sorted(boxes)]


def main() -> None:
    """Search."""
    args = parse_args()
    folder = Path(args.out)
    with user_errors():
        cfg = load_config(args)
        settings = settings_to_try(cfg, args)
        args.eval = args.eval or configured_metrics(cfg)
        device = prepare_test_device(cfg, args)
        loader = search_loader(cfg, args)
        identity = identity_of(cfg, args.checkpoint, settings, args.fuse_conv_bn)
        on_first_process(lambda: VideoStore(folder / "videos", identity))
        store = VideoStore(folder / "videos", identity)
        model = build_test_model(cfg, args, loader.dataset, device)
        hand_on_bytes(loader.dataset, model)
    logger = get_root_logger(args.log or str(folder / "search.log"))
    logger.info(f"{len(settings)} settings on {len(loader.sampler)} frames; results go to {folder}")
    with file_errors():
        boxes = track(parallel(model, settings, args), loader, store, args)
    if boxes is None:
        return
    with user_errors():
        options = evaluation_options(cfg, args.eval, dict(args.eval_options or {}))
        scores = score_settings(loader.dataset, boxes, settings, options)
        ranked, key = rank(scores, cfg.get("evaluation", {}).get("save_best"))
        files = write_search(folder, cfg, ranked)
    logger.info(f"sorted by {key}\n{format_table(table_of(ranked[:SHOWN_ROWS]))}")
    for file in files:
        print(f"written: {file}")


if __name__ == "__main__":
    main()
