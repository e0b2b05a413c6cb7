"""Test a model: metrics (--eval), submission files (--format-only), raw results, pictures."""

from __future__ import annotations

import argparse
import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # OpenMP reads it when torch is imported

import inspect
import json
import os.path as osp
import time
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from mmtrack.apis import multi_gpu_test, single_gpu_test
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
from mmtrack.apis.task import hand_on_bytes
from mmtrack.apis.test_options import check_metrics, configured_metrics, evaluation_options
from mmtrack.apis.testing import build_test_loader, build_test_model, prepare_test_device
from mmtrack.utils import build_ddp, build_dp
from mmtrack.utils.file_io import atomic_write

import mmcv
from mmcv import DictAction
from mmcv.runner import get_dist_info

RESULT_EXTENSIONS = (".pkl", ".pickle", ".json")


def parse_args() -> argparse.Namespace:
    """Read and check the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", help="config file")
    # The manual also writes the checkpoint as a second argument without a name.
    parser.add_argument("checkpoint_file", nargs="?", help=argparse.SUPPRESS)
    parser.add_argument("--checkpoint", help="weights of the whole model")
    parser.add_argument("--out", help="file for the raw results: .pkl, .pickle or .json")
    parser.add_argument("--work-dir", help="folder for the metrics, eval_<time>.log.json")
    parser.add_argument(
        "--fuse-conv-bn", action="store_true", help="fold batch norm into convolutions"
    )
    parser.add_argument("--gpu-id", type=int, default=0, help="index of the GPU of this run")
    parser.add_argument(
        "--format-only", action="store_true", help="write submission files, compute no metrics"
    )
    parser.add_argument("--eval", nargs="+", metavar="METRIC", help="metrics to compute")
    parser.add_argument("--show", action="store_true", help="display the drawn results")
    parser.add_argument("--show-score-thr", type=float, default=0.3, help="lowest drawn score")
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
        help="passed to dataset.evaluate or dataset.format_results",
    )
    parser.add_argument(
        "--allow-random-weights", action="store_true", help="test a model without loaded weights"
    )
    add_config_options(parser)
    add_launcher_arguments(parser)
    add_device_argument(parser)
    add_trust_argument(parser)
    add_speed_arguments(parser)
    args = parser.parse_args()
    args.checkpoint = args.checkpoint or args.checkpoint_file
    check_args(parser, args)
    export_local_rank(args)
    return args


def is_task_given(args: argparse.Namespace) -> bool:
    """Whether the command line names a task; a checkpoint alone asks for metrics."""
    return bool(args.out or args.eval or args.format_only or args.show or args.show_dir)


def check_args(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    """Refuse combinations that have no result or no meaning."""
    if not is_task_given(args) and args.checkpoint is None:
        parser.error("nothing to do: give --eval, --format-only, --out, --show or --show-dir")
    if args.eval and args.format_only:
        parser.error("--eval and --format-only exclude each other")
    if args.out and not args.out.endswith(RESULT_EXTENSIONS):
        parser.error(f"--out {args.out}: the name must end in {', '.join(RESULT_EXTENSIONS)}")
    if args.launcher != "none" and (args.show or args.show_dir):
        parser.error("--show and --show-dir need a run without --launcher")


def run(
    model: nn.Module, loader: DataLoader, args: argparse.Namespace, device: torch.device
) -> Any:
    """Results of the whole dataset on rank 0, None on other ranks."""
    if args.launcher == "none":
        model = build_dp(model, device.type, device_ids=[device.index or 0])
        return single_gpu_test(
            model, loader, args.show, args.show_dir, show_score_thr=args.show_score_thr
        )
    device_ids = [torch.cuda.current_device()] if device.type == "cuda" else None
    model = build_ddp(model, device.type, device_ids=device_ids, broadcast_buffers=False)
    return multi_gpu_test(model, loader, args.tmpdir, args.gpu_collect)


def save_results(results: Any, path: str) -> None:
    """Write raw results; json holds arrays as lists and run lengths as text."""
    if path.endswith(".json"):
        with atomic_write(path) as file:
            json.dump(results, file, default=to_json)
    else:
        with atomic_write(path, "wb") as file:
            mmcv.dump(results, file, file_format="pkl")
    print(f"\nraw results: {path}")


def to_json(value: Any) -> Any:
    """Arrays, tensors and bytes in a form json knows."""
    if isinstance(value, bytes):
        return value.decode("ascii")
    if isinstance(value, (np.ndarray, np.generic, torch.Tensor)):
        return value.tolist()
    raise TypeError(f"a {type(value).__name__} cannot be written to json")


def report(results: Any, dataset: Dataset, cfg: mmcv.Config, args: argparse.Namespace) -> None:
    """Write, format and evaluate the results, whatever was asked for."""
    if args.out:
        save_results(results, args.out)
    options = dict(args.eval_options or {})
    if args.format_only:
        options = with_output_folder(dataset, args, options)
        dataset.format_results(results, **options)
        print(f"submission files: {options.get('resfile_path') or options.get('jsonfile_prefix')}")
    if args.eval:
        metrics = dataset.evaluate(results, **evaluation_options(cfg, args.eval, options))
        print(metrics)
        if args.work_dir is not None:
            name = time.strftime("eval_%Y%m%d_%H%M%S.log.json", time.localtime())
            with atomic_write(osp.join(args.work_dir, name)) as file:
                json.dump({"config": args.config, "metric": metrics}, file, default=to_json)


def with_output_folder(
    dataset: Dataset, args: argparse.Namespace, options: dict[str, Any]
) -> dict[str, Any]:
    """Options of format_results that name a new folder, where the user named none.

    Without a name the files would go to a temporary folder and vanish with the process.
    """
    default = args.work_dir or osp.join("work_dirs", osp.splitext(osp.basename(args.config))[0])
    stamp = time.strftime("submission_%Y%m%d_%H%M%S", time.localtime())
    known = inspect.signature(dataset.format_results).parameters
    for key in ("resfile_path", "jsonfile_prefix"):
        if key in known and not options.get(key):
            return {**options, key: osp.join(default, stamp)}
    return options


def main() -> None:
    """Test."""
    args = parse_args()
    with user_errors():
        cfg = load_config(args)
        if not is_task_given(args):
            args.eval = configured_metrics(cfg)
        device = prepare_test_device(cfg, args)
        loader = build_test_loader(cfg, args.launcher != "none")
        if args.eval:
            check_metrics(loader.dataset, args.eval)
        model = build_test_model(cfg, args, loader.dataset, device)
        hand_on_bytes(loader.dataset, model)
    with file_errors():
        results = run(model, loader, args, device)
    if get_dist_info()[0] == 0:
        with user_errors():
            report(results, loader.dataset, cfg, args)


if __name__ == "__main__":
    main()
