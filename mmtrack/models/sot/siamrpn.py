"""SiamRPN++: a Siamese tracker that regresses anchors."""

from __future__ import annotations

import math
import warnings
from typing import Any, NamedTuple

import numpy as np
import torch
from mmcv import ConfigDict

from ...core.track.context_crop import context_crop
from ..builder import MODELS, build_part
from ..track_heads.siamese_rpn_head import TemplateKernels
from .base import BaseSingleObjectTracker
from .protocols import OnePass, SupervisedRestarts

MIN_BOX_SIDE = 10  # pixels; smaller boxes give search regions without content


class Target(NamedTuple):
    """What is remembered of the object between two frames.

    Attributes:
        bbox: ``(4,)`` in main memory, centre x, centre y, width, height in the last frame.
        template: The template as the head uses it.
        avg_channel: ``(3,)``, mean colour of the first frame, on the device of the frames.
    """

    bbox: torch.Tensor
    template: TemplateKernels
    avg_channel: torch.Tensor


class SearchRegion(NamedTuple):
    """Square in which the object is looked for.

    Attributes:
        center: x, y in pixels of the frame.
        side: In pixels of the frame.
        scale: Pixels of the search image per pixel of the frame.
    """

    center: tuple[float, float]
    side: int
    scale: float


@MODELS.register_module()
class SiamRPN(BaseSingleObjectTracker):
    """SiamRPN++.

    Args:
        backbone: Config of the backbone.
        neck: Config of the neck.
        head: Config of the head; ``train_cfg.rpn`` and ``test_cfg.rpn`` are handed to it.
        pretrains: Deprecated, weights of ``backbone``: use its ``init_cfg``.
        init_cfg: Initialisation of the weights.
        frozen_modules: Names of parts that are not trained.
        train_cfg: Settings for training: ``rpn``.
        test_cfg: Settings for tests: ``exemplar_size``, ``search_size``, ``context_amount``,
            ``center_size``, ``rpn`` and ``test_mode`` (``'OPE'`` or ``'VOT'``).

    Reference: Li et al., "SiamRPN++: Evolution of Siamese Visual Tracking with Very Deep Networks",
    CVPR 2019.
    """

    takes_byte_frames = True

    def __init__(
        self,
        backbone: dict,
        neck: dict | None = None,
        head: dict | None = None,
        pretrains: dict | None = None,
        init_cfg: dict | None = None,
        frozen_modules: str | list[str] | None = None,
        train_cfg: dict | None = None,
        test_cfg: dict | None = None,
    ):
        super().__init__(init_cfg)
        backbone = dict(backbone)
        if pretrains is not None:
            warnings.warn(
                "pretrains is deprecated, use backbone.init_cfg instead",
                DeprecationWarning,
                stacklevel=2,
            )
            if pretrains.get("backbone"):
                backbone["init_cfg"] = {"type": "Pretrained", "checkpoint": pretrains["backbone"]}
        self.train_cfg = None if train_cfg is None else ConfigDict(train_cfg)
        self.test_cfg = None if test_cfg is None else ConfigDict(test_cfg)
        self.backbone = build_part(ConfigDict(backbone))
        if neck is not None:
            self.neck = build_part(ConfigDict(neck))
        if head is not None:
            settings = {
                f"{name}_cfg": None if cfg is None else cfg.get("rpn")
                for name, cfg in (("train", self.train_cfg), ("test", self.test_cfg))
            }
            self.head = build_part(ConfigDict({**head, **settings}))
        if frozen_modules is not None:
            self.freeze_module(frozen_modules)
        self.target: Target | None = None
        self._one_pass = OnePass(self)
        self._restarts = SupervisedRestarts(self)

    def init_weights(self) -> None:
        """Initialise the weights of all parts."""
        super().init_weights()

    def forward_template(self, z_img: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Features of template images, cut to their middle.

        Args:
            z_img: ``(N, C, H, W)``, typically 127 x 127.

        Returns:
            Per level ``(N, C, H, W)``, typically 7 x 7: the border of the larger feature maps saw
            padding, and the head is meant to see the object.
        """
        feats = self.forward_search(z_img)
        size = self.test_cfg["center_size"]
        return tuple(_middle(feat, size) for feat in feats)

    def forward_search(self, x_img: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Features of search images.

        Args:
            x_img: ``(N, C, H, W)``, typically 255 x 255.

        Returns:
            Per level ``(N, C, H, W)``, typically 31 x 31.
        """
        feats = self.backbone(x_img)
        return tuple(self.neck(feats)) if self.with_neck else tuple(feats)

    def get_cropped_img(
        self,
        img: torch.Tensor,
        center_xy: torch.Tensor,
        target_size: int,
        crop_size: torch.Tensor | float,
        avg_channel: torch.Tensor,
    ) -> torch.Tensor:
        """Cut a square out of a frame and resize it, see :func:`context_crop`.

        Args:
            img: ``(1, C, H, W)``, uint8 or float.
            center_xy: ``(2,)``, centre in pixels.
            target_size: Side of the result in pixels.
            crop_size: Side of the square in pixels.
            avg_channel: ``(3,)``, colour outside of the frame.

        Returns:
            ``(1, C, target_size, target_size)``, float.
        """
        x, y = center_xy.tolist()
        return context_crop(img, (x, y), float(crop_size), target_size, avg_channel)

    def init(
        self, img: torch.Tensor, bbox: torch.Tensor
    ) -> tuple[tuple[torch.Tensor, ...], torch.Tensor]:
        """Features of the object in the first frame.

        Args:
            img: ``(1, C, H, W)``.
            bbox: ``(4,)``, centre x, centre y, width, height.

        Returns:
            Template features, per level ``(1, C, H, W)``, and the mean colour ``(3,)`` that fills
            what lies outside of frames.
        """
        x, y, w, h = bbox.tolist()
        avg_channel = img.mean(dim=(0, 2, 3), dtype=torch.float32)
        z_side = round(self._context_side(w, h))
        z_crop = context_crop(img, (x, y), z_side, self.test_cfg["exemplar_size"], avg_channel)
        return self.forward_template(self._to_model(z_crop)), avg_channel

    def track(
        self,
        img: torch.Tensor,
        bbox: torch.Tensor,
        z_feat: tuple[torch.Tensor, ...] | TemplateKernels,
        avg_channel: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Follow the object from the last frame into this one.

        The box is read on the host, to cut the frame; where it is in main memory already, nothing
        waits for the device. The results stay there.

        Args:
            img: ``(1, C, H, W)``, uint8 or float, in main memory or on the device.
            bbox: ``(4,)``, centre x, centre y, width, height in the last frame.
            z_feat: Template features of :meth:`init`, or what the head encoded from them.
            avg_channel: Mean colour of :meth:`init`.

        Returns:
            Score without dimensions, and the box ``(4,)`` in the format of ``bbox``.
        """
        region = self.search_region(bbox)
        x_crop = self.search_crop(img, region, avg_channel)
        cls_score, bbox_pred = self.head(z_feat, self.forward_search(x_crop))
        score, best = self.head.get_bbox(cls_score, bbox_pred, bbox, region.scale)
        return score, clip_boxes(best, img.shape[-2], img.shape[-1])

    def search_region(self, bbox: torch.Tensor) -> SearchRegion:
        """Where to look for an object that was at ``bbox`` (as in :meth:`track`)."""
        x, y, w, h = bbox.tolist()
        z_side = self._context_side(w, h)
        x_side = round(z_side * self.test_cfg["search_size"] / self.test_cfg["exemplar_size"])
        return SearchRegion((x, y), x_side, self.test_cfg["exemplar_size"] / z_side)

    def search_crop(
        self, img: torch.Tensor, region: SearchRegion, avg_channel: torch.Tensor
    ) -> torch.Tensor:
        """Search image ``(1, C, S, S)`` of a region, on the device of the model."""
        size = self.test_cfg["search_size"]
        return self._to_model(context_crop(img, region.center, region.side, size, avg_channel))

    def make_target(self, img: torch.Tensor, bbox: torch.Tensor) -> Target:
        """What is to be remembered of an object: :meth:`init`, encoded for the head."""
        z_feat, avg_channel = self.init(img, bbox)
        return Target(bbox, self.head.encode_template(z_feat), avg_channel)

    def start(self, img: torch.Tensor, bbox: torch.Tensor) -> None:
        """Remember an object to follow."""
        self.target = self.make_target(img, bbox)

    def follow(self, img: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Box and score of the remembered object in the next frame, in main memory.

        Raises:
            RuntimeError: there is no object; the first frame is missing.
        """
        if self.target is None:
            raise RuntimeError("there is no object to follow: begin with the frame of frame_id 0")
        score, bbox = self.track(img, *self.target)
        # the one place where the host waits for the device
        *box, score = torch.cat((bbox, score.reshape(1))).cpu()
        self.target = self.target._replace(bbox=torch.stack(box))
        return self.target.bbox, score

    def simple_test_ope(
        self, img: torch.Tensor, frame_id: int, gt_bboxes: list[torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Track a frame under the protocol of one pass.

        Args:
            img: ``(1, C, H, W)``.
            frame_id: Number of the frame, 0 starts a video.
            gt_bboxes: One entry ``(1, 4)``, x1y1x2y2, or ``(1, 8)``, corners of a quadrangle.

        Returns:
            ``(4,)``, x1y1x2y2, and the score, -1 in the first frame; both in main memory.
        """
        gt_bbox = gt_bboxes[0][0] if frame_id == 0 else None
        return self._one_pass.step(img, frame_id, gt_bbox)

    def simple_test_vot(
        self,
        img: torch.Tensor,
        frame_id: int,
        gt_bboxes: list[torch.Tensor],
        img_metas: list[dict] | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Track a frame under the protocol of the VOT challenges with restarts.

        Args:
            img: ``(1, C, H, W)``.
            frame_id: Number of the frame, 0 starts a video.
            gt_bboxes: One entry ``(1, 4)``, x1y1x2y2, or ``(1, 8)``, corners of a quadrangle.
            img_metas: One dict; ``img_shape`` bounds the overlap, by default the size of ``img``.

        Returns:
            ``(4,)``, x1y1x2y2, or ``(1,)``: 1 where the tracker starts, 2 where it fails, 0 while
            it waits; and the score, -1 where it does not track. Both in main memory.
        """
        shape = img_metas[0]["img_shape"] if img_metas else img.shape[-2:]
        size = (int(shape[1]), int(shape[0]))
        return self._restarts.step(img, frame_id, gt_bboxes[0][0], size)

    def simple_test(
        self,
        img: torch.Tensor,
        img_metas: list[dict],
        gt_bboxes: list[torch.Tensor],
        **kwargs: Any,
    ) -> dict[str, np.ndarray]:
        """Track a frame under the protocol that ``test_cfg.test_mode`` names.

        Args:
            img: ``(1, C, H, W)``.
            img_metas: One dict with ``frame_id``.
            gt_bboxes: One entry ``(1, 4)`` or ``(1, 8)``.
            **kwargs: Ignored.

        Returns:
            ``track_bboxes``: ``(5,)``, x1, y1, x2, y2, score; VOT also ``(2,)``, state, score.

        Raises:
            ValueError: the mode is unknown, or the box of the first frame is bad.
        """
        frame_id = img_metas[0]["frame_id"]
        mode = self.test_cfg.get("test_mode", "OPE")
        if mode == "OPE":
            values, score = self.simple_test_ope(img, frame_id, gt_bboxes)
        elif mode == "VOT":
            values, score = self.simple_test_vot(img, frame_id, gt_bboxes, img_metas)
        else:
            raise ValueError(f"test_cfg.test_mode must be 'OPE' or 'VOT', not {mode!r}")
        return {"track_bboxes": torch.cat((values, score.reshape(1))).numpy()}

    def forward_train(
        self,
        img: torch.Tensor,
        img_metas: list[dict],
        gt_bboxes: list[torch.Tensor],
        search_img: torch.Tensor,
        search_img_metas: list[list[dict]],
        search_gt_bboxes: list[torch.Tensor],
        is_positive_pairs: list[bool],
        **kwargs: Any,
    ) -> dict[str, torch.Tensor]:
        """Losses of a batch.

        Args:
            img: Templates, ``(N, C, H, W)``, typically 127 x 127.
            img_metas: Not used.
            gt_bboxes: Not used: templates are centred.
            search_img: ``(N, 1, C, H, W)``, typically 255 x 255.
            search_img_metas: Not used.
            search_gt_bboxes: Per sample ``(1, 5)``: 0, x1, y1, x2, y2 in pixels of the
                search image.
            is_positive_pairs: Whether template and search image show the same object.
            **kwargs: Ignored.

        Returns:
            ``loss_rpn_cls`` and ``loss_rpn_bbox``.
        """
        z_feats = self.forward_template(img)
        x_feats = self.forward_search(search_img[:, 0])
        cls_score, bbox_pred = self.head(z_feats, x_feats)
        targets = self.head.get_targets(search_gt_bboxes, cls_score.shape[-2:], is_positive_pairs)
        return self.head.loss(cls_score, bbox_pred, *targets)

    def _context_side(self, width: float, height: float) -> float:
        """Side of the template's square in pixels of the frame: the box and its context."""
        context = self.test_cfg["context_amount"] * (width + height)
        return math.sqrt((width + context) * (height + context))

    def _to_model(self, crop: torch.Tensor) -> torch.Tensor:
        return crop.to(next(self.parameters()).device)


def _middle(feat: torch.Tensor, size: int) -> torch.Tensor:
    """Middle ``size`` rows and columns of feature maps."""
    top, left = (feat.shape[-2] - size) // 2, (feat.shape[-1] - size) // 2
    return feat[..., top : top + size, left : left + size]


def clip_boxes(bboxes: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Boxes ``(..., 4)`` with the centre inside the frame and sides from the smallest to its size.

    Args:
        bboxes: Centre x, centre y, width, height in pixels.
        height: Of the frame.
        width: Of the frame.
    """
    cx, cy, w, h = bboxes.unbind(-1)
    return torch.stack(
        [
            cx.clamp(0, width),
            cy.clamp(0, height),
            w.clamp(MIN_BOX_SIDE, width),
            h.clamp(MIN_BOX_SIDE, height),
        ],
        dim=-1,
    )
