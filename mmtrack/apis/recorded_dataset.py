"""The test data set of a config with what the network found in it, computed once."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from typing import Any

import mmcv
import torch
import torch.distributed as dist
from torch import nn

from mmtrack.models import build_tracker
from mmtrack.utils import build_ddp, build_dp

from .network_pass import NetworkPass, identity_of, pass_settings, video_frames
from .replay import VideoTracks
from .testing import build_test_loader, build_test_model, prepare_test_device
from .video_store import VideoStore, hash_of_value, on_first_process

FLAGS = ("fuse_conv_bn", "bf16")


class RecordedDataset:
    """Trackers that run on one pass of the network over the test data set.

    Args:
        cfg: The config, for model and data.
        trackers: Configs of the trackers.
        args: Of a test script: ``checkpoint``, ``cache`` (a folder or None), ``work_dir``,
            ``launcher``, ``device``, ``gpu_id``, and the options of ``build_test_model``.

    Raises:
        ValueError: ``cache`` holds detections of another data set or model.
    """

    def __init__(self, cfg: mmcv.Config, trackers: Sequence[Mapping], args: argparse.Namespace):
        self.cfg, self.args, self.trackers = cfg, args, [dict(each) for each in trackers]
        self.device = prepare_test_device(cfg, args)
        self.loader = build_test_loader(cfg, args.launcher != "none")
        self.dataset = self.loader.dataset
        built = [build_tracker(dict(each)) for each in trackers]
        flags = {key: vars(args)[key] for key in FLAGS}
        self.identity = identity_of(
            cfg, self.dataset, args.checkpoint, {**flags, **pass_settings(built)}
        )
        own = os.path.join(args.work_dir, "cache", hash_of_value(self.identity)[:12])
        folder = args.cache or own
        on_first_process(lambda: VideoStore(folder, self.identity))
        self.network = NetworkPass(VideoStore(folder, self.identity), built)
        self.videos = video_frames(self.dataset, range(len(self.dataset)))

    def prepare(self) -> None:
        """Run the network on the videos of this process that are not there yet."""
        own = video_frames(self.dataset, self.loader.sampler)
        if any(video not in self.network.store for video in own):
            cfg = mmcv.Config(self.cfg._cfg_dict.to_dict())
            cfg.model.tracker = self.trackers[0]
            model = build_test_model(cfg, self.args, self.dataset, self.device)
            self.network.run(self._parallel(model), model, self.loader)
        if dist.is_initialized():
            dist.barrier()

    def _parallel(self, model: nn.Module) -> nn.Module:
        device = self.device
        if self.args.launcher == "none":
            return build_dp(model, device.type, device_ids=[device.index or 0]).eval()
        device_ids = [torch.cuda.current_device()] if device.type == "cuda" else None
        wrapped = build_ddp(model, device.type, device_ids=device_ids, broadcast_buffers=False)
        return wrapped.eval()

    def tracks(self, number: int, motion: Mapping[str, Any] | None) -> dict[int, VideoTracks]:
        """Tracks of a tracker by video.

        Args:
            number: Number of the tracker.
            motion: Config of its motion model.
        """
        tracker = self.trackers[number]
        return {video: self.network.tracks(number, tracker, motion, video) for video in self.videos}
