"""Compensation of camera motion by image registration."""

from __future__ import annotations

import warnings
from collections.abc import MutableMapping
from typing import Any

import cv2
import numpy as np
import torch

from ..builder import MOTION

WARP_MODES = {
    "MOTION_TRANSLATION": cv2.MOTION_TRANSLATION,
    "MOTION_EUCLIDEAN": cv2.MOTION_EUCLIDEAN,
    "MOTION_AFFINE": cv2.MOTION_AFFINE,
}


@MOTION.register_module()
class CameraMotionCompensation:
    """Move the boxes of tracks along with the camera.

    Args:
        warp_mode: ``'cv2.MOTION_TRANSLATION'``, ``'cv2.MOTION_EUCLIDEAN'`` or
            ``'cv2.MOTION_AFFINE'``; the prefix may be left out.
        num_iters: Largest number of iterations.
        stop_eps: Registration ends when the correlation grows by less.

    Raises:
        ValueError: the warp mode is unknown.

    Reference: Evangelidis and Psarakis, "Parametric Image Alignment Using Enhanced Correlation
    Coefficient Maximization", PAMI 2008; used for tracking by Bergmann et al., ICCV 2019.
    """

    def __init__(
        self,
        warp_mode: str = "cv2.MOTION_EUCLIDEAN",
        num_iters: int = 50,
        stop_eps: float = 0.001,
    ):
        name = warp_mode.removeprefix("cv2.")
        if name not in WARP_MODES:
            raise ValueError(
                f"warp_mode must be one of {', '.join('cv2.' + key for key in WARP_MODES)}, "
                f"found {warp_mode!r}"
            )
        self.warp_mode = WARP_MODES[name]
        self.num_iters = num_iters
        self.stop_eps = stop_eps

    def get_warp_matrix(self, img: np.ndarray, ref_img: np.ndarray) -> torch.Tensor:
        """Affine matrix that takes places in one image to places in the other.

        Args:
            img: ``(H, W, 3)``, float32 or uint8.
            ref_img: ``(H, W, 3)``, of the same type.

        Returns:
            ``(2, 3)`` float32; the identity, with a warning, when the images share no content, as
            at a cut.
        """
        return torch.from_numpy(self.register(*map(_grey, (img, ref_img))))

    @staticmethod
    def grey_image(img: torch.Tensor) -> np.ndarray:
        """A frame ``(1, 3, H, W)`` in grey, ``(H, W)``, as :meth:`register` takes it."""
        return _grey(np.ascontiguousarray(img[0].detach().cpu().numpy().transpose(1, 2, 0)))

    def register(self, grey: np.ndarray, ref_grey: np.ndarray) -> np.ndarray:
        """Affine matrix that takes places in one grey image to places in the other.

        Args:
            grey: ``(H, W)``, float32 or uint8.
            ref_grey: ``(H, W)``, of the same type.

        Returns:
            As :meth:`get_warp_matrix`.
        """
        identity = np.eye(2, 3, dtype=np.float32)
        criteria = (
            cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT,
            self.num_iters,
            self.stop_eps,
        )
        try:
            _, matrix = cv2.findTransformECC(
                grey, ref_grey, identity.copy(), self.warp_mode, criteria, None, 1
            )
        except cv2.error as error:
            if error.code != cv2.Error.StsNoConv:
                raise
            warnings.warn("camera motion not found: the two frames share no content")
            matrix = identity
        return matrix

    def warp_bboxes(self, bboxes: torch.Tensor, warp_matrix: torch.Tensor) -> torch.Tensor:
        """Move the two corners of boxes.

        Args:
            bboxes: ``(N, 4)``, x1y1x2y2 in pixels.
            warp_matrix: ``(2, 3)``.

        Returns:
            ``(N, 4)``.
        """
        corners = bboxes.reshape(-1, 2)
        warp_matrix = warp_matrix.to(corners)
        moved = corners @ warp_matrix[:, :2].t() + warp_matrix[:, 2]
        return moved.reshape(bboxes.shape)

    def track(
        self,
        img: torch.Tensor,
        ref_img: torch.Tensor,
        tracks: MutableMapping[int, Any],
        num_samples: int,
        frame_id: int,
    ) -> MutableMapping[int, Any]:
        """Move the boxes of all tracks from the last image to the current one, in place.

        Args:
            img: The image the boxes lie in, ``(1, 3, H, W)``.
            ref_img: The image to move them to, ``(1, 3, H, W)``.
            tracks: Track of each id, with attributes ``bboxes`` (a list of ``(1, 4)``) and
                ``frame_ids``.
            num_samples: Number of last boxes moved of a track that was seen in the frame before;
                of a lost one only the last box is.
            frame_id: The current frame.

        Returns:
            The tracks.
        """
        warp_matrix = torch.from_numpy(self.register(*map(self.grey_image, (img, ref_img))))
        for track in tracks.values():
            seen = int(track.frame_ids[-1]) == frame_id - 1
            count = min(num_samples if seen else 1, len(track.bboxes))
            for at in range(-count, 0):
                track.bboxes[at] = self.warp_bboxes(track.bboxes[at], warp_matrix)
        return tracks


def _grey(img: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(img, cv2.COLOR_RGB2GRAY)
