"""Base class of multi object trackers."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import mmcv
import numpy as np
import torch
from mmcv.runner import auto_fp16

from ...core.track import results2outs
from ...core.utils import imshow_tracks
from ..base import BaseVideoModel


class BaseMultiObjectTracker(BaseVideoModel):
    """Base class of multi object trackers.

    A tracker of its own needs ``forward_train`` and ``simple_test``; everything else is here.

    Args:
        init_cfg: Initialisation of the weights, see :class:`mmcv.runner.BaseModule`.
    """

    @property
    def with_detector(self) -> bool:
        """Whether there is a detector."""
        return self.has_part("detector")

    @property
    def with_reid(self) -> bool:
        """Whether there is a re-identification model."""
        return self.has_part("reid")

    @property
    def with_motion(self) -> bool:
        """Whether there is a motion model."""
        return self.has_part("motion")

    @property
    def with_track_head(self) -> bool:
        """Whether there is a head for tracking on the features of the detector."""
        return self.has_part("track_head")

    @property
    def with_tracker(self) -> bool:
        """Whether there is a tracker."""
        return self.has_part("tracker")

    @abstractmethod
    def forward_train(self, imgs: torch.Tensor, img_metas: list[dict], **kwargs: Any) -> dict:
        """Losses of a batch.

        Args:
            imgs: Images, ``(N, C, H, W)``, normalised.
            img_metas: One dict per image.
            **kwargs: Ground truth, depending on the model.
        """

    @abstractmethod
    def simple_test(self, img: torch.Tensor, img_metas: list[dict], **kwargs: Any) -> dict:
        """Detections and tracks of one frame.

        Args:
            img: One frame, ``(1, C, H, W)``, normalised.
            img_metas: Its meta data; ``frame_id`` 0 starts a video.
            **kwargs: Depending on the model.
        """

    @auto_fp16(apply_to=("img", "ref_img"))
    def forward(
        self,
        img: torch.Tensor | list[torch.Tensor],
        img_metas: list,
        return_loss: bool = True,
        **kwargs: Any,
    ) -> dict:
        """Losses (``return_loss=True``) or results.

        Args:
            img: ``(N, C, H, W)`` in training; in tests a list of such tensors, one per
                augmentation.
            img_metas: One dict per image in training; a list of these lists in tests.
            return_loss: Which of the two.
            **kwargs: Passed on.
        """
        if return_loss:
            return self.forward_train(img, img_metas, **kwargs)
        return self.forward_test(img, img_metas, **kwargs)

    def show_result(
        self,
        img: str | np.ndarray,
        result: dict,
        score_thr: float = 0.0,
        thickness: int = 1,
        font_scale: float = 0.5,
        show: bool = False,
        out_file: str | None = None,
        wait_time: int = 0,
        backend: str = "cv2",
        **kwargs: Any,
    ) -> np.ndarray:
        """Draw tracks.

        Args:
            img: Image or its file name.
            result: Result of a frame; ``track_bboxes`` holds per class ``(n, 6)`` rows of
                ``id, x1, y1, x2, y2, score`` in pixels of ``img``; ``track_masks``, if there,
                per class the masks of the same tracks.
            score_thr: Tracks below are not drawn.
            thickness: Of lines.
            font_scale: Of texts.
            show: Open a window.
            out_file: Write the image.
            wait_time: Milliseconds that the window stays; 0 waits for a key.
            backend: ``'cv2'`` or ``'plt'``.
            **kwargs: Accepted for calls written for other models.

        Returns:
            The image with the tracks.

        Raises:
            TypeError: ``result`` is not a dict.
            KeyError: it has no ``track_bboxes``.
        """
        if not isinstance(result, dict):
            raise TypeError(f"result must be the dict of a frame, not {type(result).__name__}")
        if "track_bboxes" not in result:
            raise KeyError(f"result has no 'track_bboxes', only {sorted(result)}")
        image = mmcv.imread(img)
        tracks = results2outs(
            bbox_results=result["track_bboxes"],
            mask_results=result.get("track_masks"),
            mask_shape=image.shape[:2],
        )
        return imshow_tracks(
            image,
            tracks["bboxes"],
            tracks["labels"],
            tracks["ids"],
            tracks.get("masks"),
            classes=getattr(self, "CLASSES", None),
            score_thr=score_thr,
            thickness=thickness,
            font_scale=font_scale,
            show=show,
            out_file=out_file,
            wait_time=wait_time,
            backend=backend,
        )
