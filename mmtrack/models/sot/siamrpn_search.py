"""One object followed with many settings of SiamRPN++ at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from ...core.track.context_crop import crop_window
from ...core.visualization import id_colors, present
from ...core.visualization.draw import LineStyle, Marks, draw_marks
from ..track_heads.siamese_rpn_head import TrackSettings
from .base import BOX_VALUES, BaseSingleObjectTracker
from .protocols import FrameResult, OnePass, SupervisedRestarts
from .siamrpn import SearchRegion, SiamRPN, Target, clip_boxes

Maps = tuple[torch.Tensor, torch.Tensor]


class SettingsBank:
    """Targets of several settings in the same video.

    Settings share all that does not depend on them: the frame, templates of the same box, and what
    the network makes of equal crops. Crops that differ go through the network together. Each
    setting gives the boxes that it would give alone, as far as batches do not change the rounding.

    Args:
        model: The tracker.
        settings: One per target.
        max_crops: Most crops of one call of the network; it bounds the memory.
    """

    def __init__(self, model: SiamRPN, settings: Sequence[TrackSettings], max_crops: int):
        self.model = model
        self.settings = settings
        self.max_crops = max_crops
        self._targets: dict[int, Target] = {}
        self._used: set[int] = set()
        self._waiting: set[int] = set()
        self._img: torch.Tensor | None = None
        self._made: dict[tuple[float, ...], Target] = {}
        self._found: dict[int, tuple[torch.Tensor, torch.Tensor]] | None = None

    def begin_frame(self, img: torch.Tensor) -> None:
        """Go on to a frame ``(1, C, H, W)``; targets that the last one did not use are left out."""
        self._img = img
        self._waiting, self._used = self._used, set()
        self._made, self._found = {}, None

    def start(self, number: int, bbox: torch.Tensor) -> None:
        """Begin with an object, see :class:`FrameTracker`."""
        key = tuple(bbox.tolist())
        if key not in self._made:
            self._made[key] = self.model.make_target(self._img, bbox)
        self._targets[number] = self._made[key]
        self._used.add(number)

    def follow(self, number: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Box and score of a target in this frame; the first call computes those of all."""
        if self._found is None:
            self._found = self._follow(sorted(self._waiting))
        self._used.add(number)
        return self._found[number]

    def _follow(self, numbers: list[int]) -> dict[int, tuple[torch.Tensor, torch.Tensor]]:
        targets = [self._targets[number] for number in numbers]
        regions = [self.model.search_region(target.bbox) for target in targets]
        (cls_score, bbox_pred), rows = self._maps(targets, regions)
        device, head = cls_score.device, self.model.head
        settings = torch.tensor([self.settings[number] for number in numbers]).to(device)
        scores, bboxes = head.get_bboxes(
            cls_score[rows],
            bbox_pred[rows],
            torch.stack([target.bbox.float() for target in targets]).to(device),
            torch.tensor([region.scale for region in regions]).to(device),
            TrackSettings(*settings.unbind(1)),
        )
        bboxes = clip_boxes(bboxes, *self._img.shape[-2:])
        # the one place where the host waits for the device
        found = torch.cat((bboxes, scores[:, None]), dim=1).cpu()
        for number, target, row in zip(numbers, targets, found, strict=True):
            self._targets[number] = target._replace(bbox=row[:4])
        return {number: (row[:4], row[4]) for number, row in zip(numbers, found, strict=True)}

    def _maps(
        self, targets: list[Target], regions: list[SearchRegion]
    ) -> tuple[Maps, torch.Tensor]:
        """Output of the head for each crop that differs, and the row of each target in it."""
        height, width = self._img.shape[-2:]
        rows, crops, batches = [], {}, {}
        for target, region in zip(targets, regions, strict=True):
            template = id(target.template)
            key = (template, crop_window(region.center, region.side, (width, height)))
            if key not in crops:
                crops[key] = (target, region)
                batches.setdefault(template, []).append(key)
            rows.append(key)
        outs, order = [], []
        for keys in batches.values():
            for first in range(0, len(keys), self.max_crops):
                part = keys[first : first + self.max_crops]
                outs.append(self._network([crops[key] for key in part]))
                order.extend(part)
        places = {key: place for place, key in enumerate(order)}
        maps = tuple(torch.cat(parts) for parts in zip(*outs, strict=True))
        return maps, torch.tensor([places[key] for key in rows], device=maps[0].device)

    def _network(self, crops: list[tuple[Target, SearchRegion]]) -> Maps:
        """Output of the head for crops that go with the same template."""
        img = torch.cat(
            [
                self.model.search_crop(self._img, region, target.avg_channel)
                for target, region in crops
            ]
        )
        return self.model.head(crops[0][0].template, self.model.forward_search(img))


class _Candidate:
    """One target of a bank as a tracker that a protocol drives."""

    def __init__(self, bank: SettingsBank, number: int):
        self.bank, self.number = bank, number

    def start(self, img: torch.Tensor, bbox: torch.Tensor) -> None:
        self.bank.start(self.number, bbox)

    def follow(self, img: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.bank.follow(self.number)


class SiamRPNSearch(BaseSingleObjectTracker):
    """SiamRPN++ with many settings at once, for tests.

    Args:
        model: The tracker, with its weights.
        settings: What to follow the object with, in the place of ``test_cfg.rpn``.
        max_crops: Most crops of one call of the network; it bounds the memory.

    Raises:
        ValueError: ``test_cfg.test_mode`` is unknown.
    """

    takes_byte_frames = True

    def __init__(self, model: SiamRPN, settings: Sequence[TrackSettings], max_crops: int = 32):
        super().__init__()
        self.model = model
        self.fp16_enabled = model.fp16_enabled
        self.mode = model.test_cfg.get("test_mode", "OPE")
        protocols = {"OPE": OnePass, "VOT": SupervisedRestarts}
        if self.mode not in protocols:
            raise ValueError(f"test_cfg.test_mode must be 'OPE' or 'VOT', not {self.mode!r}")
        self.bank = SettingsBank(model, settings, max_crops)
        self._runners = [
            protocols[self.mode](_Candidate(self.bank, i)) for i in range(len(settings))
        ]

    def forward_train(self, *args: Any, **kwargs: Any) -> dict:
        """Not for training."""
        raise NotImplementedError("SiamRPNSearch only tests: train the SiamRPN that it is made of")

    def simple_test(
        self,
        img: torch.Tensor,
        img_metas: list[dict],
        gt_bboxes: list[torch.Tensor],
        **kwargs: Any,
    ) -> dict[str, np.ndarray]:
        """Boxes in one frame.

        Args:
            img: ``(1, C, H, W)``, uint8 or float.
            img_metas: One dict; ``frame_id`` 0 starts a video.
            gt_bboxes: One entry ``(1, 4)`` or ``(1, 8)``.
            **kwargs: Ignored.

        Returns:
            ``track_bboxes``: ``(K, 5)``, a row x1, y1, x2, y2, score per setting. States of the VOT
            protocol are rows state, score, NaN, NaN, NaN; see :func:`result_of_row`.
        """
        frame_id = int(img_metas[0]["frame_id"])
        gt_bbox = gt_bboxes[0][0]
        self.bank.begin_frame(img)
        if self.mode == "OPE":
            found = [runner.step(img, frame_id, gt_bbox) for runner in self._runners]
        else:
            height, width = img_metas[0].get("img_shape", img.shape[-2:])[:2]
            found = [
                runner.step(img, frame_id, gt_bbox, (width, height)) for runner in self._runners
            ]
        return {"track_bboxes": np.stack([_row(result) for result in found])}

    def show_result(
        self, img: np.ndarray, result: dict, thickness: int = 1, show: bool = False, **kwargs: Any
    ) -> np.ndarray:
        """Draw the boxes of all settings, each in its own colour.

        Args:
            img: Image.
            result: Result of a frame.
            thickness: Width of the lines.
            show: Open a window.
            **kwargs: Accepted for calls written for other models.
        """
        rows = result["track_bboxes"]
        shown = ~np.isnan(rows).any(axis=1)
        marks = Marks(rows[shown, :4], id_colors(np.flatnonzero(shown)), [""] * int(shown.sum()))
        image = draw_marks(img, marks, LineStyle(thickness, 0.5), "cv2")
        present(image, show=show)
        return image


def result_of_row(row: np.ndarray) -> np.ndarray:
    """A row of :class:`SiamRPNSearch` as the tracker alone reports it, ``(5,)`` or ``(2,)``."""
    return row[:2] if np.isnan(row[2:]).all() else row


def _row(result: FrameResult) -> np.ndarray:
    row = np.full(BOX_VALUES, np.nan, np.float32)
    values = torch.cat((result.values, result.score.reshape(1))).numpy()
    row[: len(values)] = values
    return row
