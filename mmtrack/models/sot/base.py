"""Base class of single object trackers."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import mmcv
import numpy as np
import torch
from mmcv.runner import auto_fp16

from ...core.visualization.draw import LineStyle, Marks, draw_marks, present
from ..base import BaseVideoModel

BOX_VALUES = 5  # x1, y1, x2, y2, score


class BaseSingleObjectTracker(BaseVideoModel):
    """Base class of single object trackers.

    A tracker of its own needs ``forward_train`` and ``simple_test``; everything else is here. One
    that converts its crops itself sets ``takes_byte_frames``: it is then given frames as they were
    decoded (uint8), and in :func:`~mmtrack.apis.inference_sot` in main memory.

    Args:
        init_cfg: Initialisation of the weights, see :class:`mmcv.runner.BaseModule`.
    """

    takes_byte_frames = False

    @property
    def with_backbone(self) -> bool:
        """Whether there is a backbone."""
        return self.has_part("backbone")

    @property
    def with_neck(self) -> bool:
        """Whether there is a neck between backbone and head."""
        return self.has_part("neck")

    @property
    def with_head(self) -> bool:
        """Whether there is a head."""
        return self.has_part("head")

    @abstractmethod
    def forward_train(
        self,
        imgs: torch.Tensor,
        img_metas: list[dict],
        search_img: torch.Tensor,
        search_img_metas: list[list[dict]],
        **kwargs: Any,
    ) -> dict:
        """Losses of a batch of template and search images.

        Args:
            imgs: Template images, ``(N, C, H, W)``, or ``(N, T, C, H, W)`` with ``T`` templates.
            img_metas: One dict per sample.
            search_img: Search images, ``(N, 1, C, H, W)``.
            search_img_metas: Per sample a list of one dict.
            **kwargs: Ground truth, depending on the model.
        """

    @abstractmethod
    def simple_test(self, img: torch.Tensor, img_metas: list[dict], **kwargs: Any) -> dict:
        """Box of the object in one frame.

        Args:
            img: One frame, ``(1, C, H, W)``.
            img_metas: Its meta data; ``frame_id`` 0 starts a video.
            **kwargs: ``gt_bboxes``, of which the first frame's is the object to follow.
        """

    @auto_fp16(apply_to=("img", "search_img"))
    def forward(
        self,
        img: torch.Tensor | list[torch.Tensor],
        img_metas: list,
        search_img: torch.Tensor | None = None,
        search_img_metas: list | None = None,
        return_loss: bool = True,
        **kwargs: Any,
    ) -> dict:
        """Losses (``return_loss=True``) or results.

        Args:
            img: Template images in training; in tests a list of frames, one per augmentation.
            img_metas: One dict per image in training; a list of these lists in tests.
            search_img: Search images, in training.
            search_img_metas: Their meta data.
            return_loss: Which of the two.
            **kwargs: Passed on.
        """
        if return_loss:
            return self.forward_train(
                img,
                img_metas,
                search_img=search_img,
                search_img_metas=search_img_metas,
                **kwargs,
            )
        return self.forward_test(img, img_metas, **kwargs)

    def show_result(
        self,
        img: str | np.ndarray,
        result: dict,
        color: Any = "green",
        thickness: int = 1,
        show: bool = False,
        win_name: str = "",
        wait_time: int = 0,
        out_file: str | None = None,
        show_score: bool = False,
        font_scale: float = 0.5,
        **kwargs: Any,
    ) -> np.ndarray:
        """Draw the box of a frame.

        Args:
            img: Image or its file name.
            result: Result of a frame; ``track_bboxes`` holds ``x1, y1, x2, y2, score`` in pixels
                of ``img``. A state of the VOT protocol (two numbers) is no box: nothing is drawn.
            color: Name, BGR triple or other colour that mmcv knows.
            thickness: Width of the lines.
            show: Open a window.
            win_name: Accepted for calls written for other models; there is one window.
            wait_time: Milliseconds that the window stays; 0 waits for a key.
            out_file: Write the image.
            show_score: Write the score at the box, where the frame has one.
            font_scale: Size of its letters; 1 is about 22 pixels high.
            **kwargs: Accepted for calls written for other models.

        Returns:
            The image with the box.

        Raises:
            TypeError: ``result`` is not a dict.
            KeyError: it has no ``track_bboxes``.
        """
        if not isinstance(result, dict):
            raise TypeError(f"result must be the dict of a frame, not {type(result).__name__}")
        if "track_bboxes" not in result:
            raise KeyError(f"result has no 'track_bboxes', only {sorted(result)}")
        row = np.asarray(result["track_bboxes"], dtype=np.float64).reshape(1, -1)
        bboxes = row[:, :4] if row.shape[1] == BOX_VALUES else np.zeros((0, 4))
        colors = np.array([mmcv.color_val(color)] * len(bboxes), np.uint8).reshape(-1, 3)
        scored = show_score and row[0, -1] >= 0  # the first frame has none
        captions = [f"{row[0, -1]:.2f}" if scored else ""] * len(bboxes)
        marks = Marks(bboxes=bboxes, colors=colors, captions=captions)
        image = draw_marks(mmcv.imread(img), marks, LineStyle(thickness, font_scale), "cv2")
        present(image, show=show, wait_time=wait_time, out_file=out_file)
        return image
