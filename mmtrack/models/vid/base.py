"""Base class of video object detectors."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import mmcv
import numpy as np
import torch
from mmcv.runner import auto_fp16

from ...core.visualization.draw import LineStyle, Marks, draw_marks, present
from ..base import BaseVideoModel


class BaseVideoDetector(BaseVideoModel):
    """Base class of video object detectors.

    A detector of its own needs ``forward_train`` and ``simple_test``; everything else is here.

    Args:
        init_cfg: Initialisation of the weights, see :class:`mmcv.runner.BaseModule`.
    """

    def __init__(self, init_cfg: dict | list[dict] | None = None):
        super().__init__(init_cfg)

    @property
    def with_detector(self) -> bool:
        """Whether there is a detector of single images."""
        return self.has_part("detector")

    @property
    def with_motion(self) -> bool:
        """Whether there is a motion model."""
        return self.has_part("motion")

    @property
    def with_aggregator(self) -> bool:
        """Whether there is an aggregator."""
        return self.has_part("aggregator")

    @abstractmethod
    def forward_train(
        self,
        imgs: torch.Tensor,
        img_metas: list[dict],
        ref_img: torch.Tensor | None = None,
        ref_img_metas: list[list[dict]] | None = None,
        **kwargs: Any,
    ) -> dict:
        """Losses of a batch.

        Args:
            imgs: Key frames, ``(N, C, H, W)``, normalised.
            img_metas: One dict per key frame.
            ref_img: ``R`` reference frames of each key frame, ``(N, R, C, H, W)``.
            ref_img_metas: Per key frame the meta data of its references.
            **kwargs: Ground truth, depending on the model.
        """

    @abstractmethod
    def simple_test(self, img: torch.Tensor, img_metas: list[dict], **kwargs: Any) -> dict:
        """Detections of one frame.

        Args:
            img: One frame, ``(1, C, H, W)``, normalised.
            img_metas: Its meta data; ``frame_id`` 0 starts a video.
            **kwargs: ``ref_img`` and ``ref_img_metas``, and options of the model.
        """

    def forward_test(
        self,
        imgs: list[torch.Tensor],
        img_metas: list[list[dict]],
        ref_img: list[torch.Tensor] | None = None,
        ref_img_metas: list[list[list[dict]]] | None = None,
        **kwargs: Any,
    ) -> dict:
        """Detections of one frame.

        Args:
            imgs: Augmented versions of the frame, each ``(1, C, H, W)``.
            img_metas: Meta data of each version, each a list of one dict.
            ref_img: Reference frames, ``[(1, N, C, H, W)]``; None where the frame brings none.
            ref_img_metas: Their meta data, ``[[[dict, ...]]]``.
            **kwargs: Passed on.

        Raises:
            TypeError: an argument is not a list.
            ValueError: the numbers of images and meta data differ, or there are several frames.
        """
        for name, value in (("ref_img", ref_img), ("ref_img_metas", ref_img_metas)):
            if value is not None and not isinstance(value, list):
                raise TypeError(
                    f"{name} must be a list with one entry per augmentation, not {value!r}"
                )
        return super().forward_test(
            imgs, img_metas, ref_img=ref_img, ref_img_metas=ref_img_metas, **kwargs
        )

    @auto_fp16(apply_to=("img", "ref_img"))
    def forward(
        self,
        img: torch.Tensor | list[torch.Tensor],
        img_metas: list,
        ref_img: torch.Tensor | list[torch.Tensor] | None = None,
        ref_img_metas: list | None = None,
        return_loss: bool = True,
        **kwargs: Any,
    ) -> dict:
        """Losses (``return_loss=True``) or detections.

        Args:
            img: ``(N, C, H, W)`` in training; in tests a list of such tensors, one per
                augmentation.
            img_metas: One dict per image in training; a list of these lists in tests.
            ref_img: ``(N, R, C, H, W)`` in training; in tests a list of such tensors.
            ref_img_metas: A list of ``R`` dicts per key frame in training; a list of these lists in
                tests.
            return_loss: Which of the two.
            **kwargs: Passed on.
        """
        run = self.forward_train if return_loss else self.forward_test
        return run(img, img_metas, ref_img=ref_img, ref_img_metas=ref_img_metas, **kwargs)

    def show_result(
        self,
        img: str | np.ndarray,
        result: dict,
        score_thr: float = 0.3,
        bbox_color: Any = "green",
        text_color: Any = "green",
        thickness: int = 1,
        font_scale: float = 0.5,
        win_name: str = "",
        show: bool = False,
        wait_time: int = 0,
        out_file: str | None = None,
    ) -> np.ndarray:
        """Draw detections.

        Args:
            img: Image or its file name.
            result: Result of a frame; ``det_bboxes`` holds per class ``(n, 5)`` rows of
                ``x1, y1, x2, y2, score`` in pixels of ``img``; ``det_masks``, if there, per class
                the mask of each, ``(H, W)`` bool.
            score_thr: Detections below are not drawn.
            bbox_color: Name, BGR triple or other colour that mmcv knows.
            text_color: Of the names of classes.
            thickness: Of lines.
            font_scale: Of texts; 1 is about 22 pixels high.
            win_name: Accepted for calls written for other models; there is one window.
            show: Open a window.
            wait_time: Milliseconds that the window stays; 0 waits for a key.
            out_file: Write the image.

        Returns:
            The image with the detections.

        Raises:
            TypeError: ``result`` is not a dict.
            KeyError: it has no ``det_bboxes``.
        """
        if not isinstance(result, dict):
            raise TypeError(f"result must be the dict of a frame, not {type(result).__name__}")
        if "det_bboxes" not in result:
            raise KeyError(f"result has no 'det_bboxes', only {sorted(result)}")
        per_class = [np.asarray(rows, np.float32).reshape(-1, 5) for rows in result["det_bboxes"]]
        bboxes = np.concatenate([np.zeros((0, 5), np.float32), *per_class])
        image = mmcv.imread(img).copy()
        if result.get("det_masks") is not None:
            masks = [mask for rows in result["det_masks"] for mask in rows]
            shown = np.flatnonzero(bboxes[:, 4] > score_thr)
            colors = np.tile(np.uint8(mmcv.color_val(bbox_color)), (len(shown), 1))
            marks = Marks(bboxes[shown, :4], colors, [""] * len(shown), [masks[i] for i in shown])
            image = draw_marks(image, marks, LineStyle(thickness, font_scale), "cv2")
        image = mmcv.imshow_det_bboxes(
            image,
            bboxes,
            np.repeat(np.arange(len(per_class)), [len(rows) for rows in per_class]),
            class_names=getattr(self, "CLASSES", None),
            score_thr=score_thr,
            bbox_color=bbox_color,
            text_color=text_color,
            thickness=thickness,
            font_scale=font_scale,
            show=False,
        )
        present(image, show=show, wait_time=wait_time, out_file=out_file)
        return image
