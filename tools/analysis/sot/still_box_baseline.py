r"""Score a tracker that never moves its first box: what every tracker has to beat.

Example:
    python tools/analysis/sot/still_box_baseline.py \
        configs/quickstart/siamese_rpn_r50_synthetic-lasot.py

The box goes through the protocol of the config's model (one pass, or VOT with restarts) and the
``evaluate`` of its ``data.test``. No network is built; VOT reads the first image of each video.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch

from mmtrack.apis.cli import add_config_options, load_config, user_errors
from mmtrack.datasets import build_dataset
from mmtrack.datasets.base_sot_dataset import BaseSOTDataset
from mmtrack.datasets.vot_dataset import VOTDataset
from mmtrack.models.sot.protocols import OnePass, SupervisedRestarts

UNBOUNDED = (2**24, 2**24)  # width and height where only VOT cares for the border of the frame


class StillBox:
    """A tracker, see :class:`mmtrack.models.sot.protocols.FrameTracker`, that does not track."""

    def __init__(self):
        self.bbox: torch.Tensor | None = None

    def start(self, img: torch.Tensor, bbox: torch.Tensor) -> None:
        """Keep the box ``(4,)``; the frame is not looked at."""
        self.bbox = bbox

    def follow(self, img: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The kept box and full confidence."""
        return self.bbox, self.bbox.new_tensor(1.0)


def still_results(dataset: BaseSOTDataset, mode: str) -> dict[str, list[np.ndarray]]:
    """Results of all videos, as ``tools/test.py`` would give them.

    Args:
        dataset: Videos.
        mode: ``test_cfg.test_mode`` of the model, ``'OPE'`` or ``'VOT'``.

    Returns:
        ``track_bboxes``, one row per frame: x1, y1, x2, y2, score; or state and score.

    Raises:
        ValueError: the mode is unknown, or VOT is asked of another data set.
    """
    if mode not in ("OPE", "VOT"):
        raise ValueError(f"test_cfg.test_mode must be 'OPE' or 'VOT', not {mode!r}")
    if (mode == "VOT") != isinstance(dataset, VOTDataset):
        raise ValueError(f"test_cfg.test_mode {mode} does not fit a {type(dataset).__name__}")
    rows = []
    for video in range(len(dataset.data_infos)):
        rows += _still_video(dataset, video, mode)
    return {"track_bboxes": rows}


def _still_video(dataset: BaseSOTDataset, video: int, mode: str) -> list[np.ndarray]:
    size = dataset.video_size(video) if mode == "VOT" else UNBOUNDED
    # Protocols ask an image for its size alone; on this device it has no pixels.
    img = torch.empty((1, 3, size[1], size[0]), device="meta")
    tracker = StillBox()
    one_pass, restarts = OnePass(tracker), SupervisedRestarts(tracker)
    rows = []
    for frame in range(dataset.num_frames_per_video[video]):
        annotation = dataset.test_annotation(video, frame)
        region = torch.from_numpy(np.array(annotation["bboxes"], np.float64))
        if mode == "VOT":
            values, score = restarts.step(img, frame, region, size)
        else:
            values, score = one_pass.step(img, frame, region)
        rows.append(torch.cat((values, score.reshape(1))).numpy())
    return rows


def parse_args() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", help="config whose data.test is scored")
    add_config_options(parser)
    return parser.parse_args()


def main() -> None:
    """Read the videos and score."""
    args = parse_args()
    with user_errors():
        cfg = load_config(args)
        if cfg.get("data", {}).get("test") is None:
            raise ValueError("the config has no data.test")
        dataset = build_dataset(cfg.data.test, {"test_mode": True})
        if not isinstance(dataset, BaseSOTDataset):
            raise ValueError(f"{type(dataset).__name__} is no data set of single object tracking")
        test_cfg = cfg.get("model", {}).get("test_cfg") or {}
        results = still_results(dataset, test_cfg.get("test_mode", "OPE"))
        print(dataset.evaluate(results, metric="track"))


if __name__ == "__main__":
    main()
