"""STARK: a transformer over templates and search region."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from ...core.track.target_crop import crop_target
from ..builder import MODELS, build_part
from .base import BaseSingleObjectTracker
from .protocols import NO_SCORE, OnePass

# Mean and standard deviation of the images that the backbone was trained on, RGB. Crops are
# padded with black before they are normalised, so the test pipeline leaves the frame as it is.
IMG_MEAN = (123.675, 116.28, 103.53)
IMG_STD = (58.395, 57.12, 57.375)

UPDATE_SCORE = 0.5  # a template is taken from boxes with a higher score; section 3.3
MIN_SIDE = 10.0  # pixels; a smaller box would make a search region without context


@MODELS.register_module()
class Stark(BaseSingleObjectTracker):
    """STARK: Learning Spatio-Temporal Transformer for Visual Tracking.

    The first template shows the target in the first frame. One further template for each entry of
    ``test_cfg.update_intervals`` follows its appearance: it is replaced every so many frames, if
    the score head is sure of the box.

    Args:
        backbone: Config of the backbone.
        neck: Config of the neck.
        head: Config of the head, see :class:`mmtrack.models.track_heads.StarkHead`.
        init_cfg: Initialisation of the weights.
        frozen_modules: Parts that do not learn, for the second stage of the training.
        train_cfg: Settings of the training.
        test_cfg: Settings of the test: ``search_factor`` and ``template_factor`` (side of the crop
            over the side of the target), ``search_size`` and ``template_size`` (pixels), and
            ``update_intervals`` (frames).

    Reference: Yan et al., "Learning Spatio-Temporal Transformer for Visual Tracking", ICCV 2021.
    """

    takes_byte_frames = True

    def __init__(
        self,
        backbone: dict,
        neck: dict | None = None,
        head: dict | None = None,
        init_cfg: dict | None = None,
        frozen_modules: str | list[str] | tuple[str, ...] | None = None,
        train_cfg: dict | None = None,
        test_cfg: dict | None = None,
    ):
        super().__init__(init_cfg)
        self.backbone = build_part(backbone)
        if neck is not None:
            self.neck = build_part(neck)
        if head is not None:
            self.head = build_part({**head, "train_cfg": train_cfg, "test_cfg": test_cfg})
        self.train_cfg = train_cfg
        self.test_cfg = test_cfg
        if frozen_modules is not None:
            self.freeze_module(frozen_modules)
        self._one_pass = OnePass(self)
        self.reset()

    def reset(self) -> None:
        """Forget the video."""
        self.frame_id = -1
        self.bbox: torch.Tensor | None = None
        self.templates: list[dict[str, Any]] = []

    def extract_feat(self, img: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Features of normalised images.

        Args:
            img: ``(N, C, H, W)``.

        Returns:
            One map per level, ``(N, C, H // stride, W // stride)``.
        """
        feats = self.backbone(img)
        return self.neck(feats) if self.with_neck else feats

    def init(self, img: torch.Tensor, bbox: Sequence[float] | torch.Tensor) -> None:
        """Start a video: all templates show the target in this frame.

        Args:
            img: The frame, ``(1, C, H, W)``, RGB from 0 to 255.
            bbox: The target: centre x, centre y, width and height in pixels.

        Raises:
            ValueError: the box has no area, or a coordinate is not finite.
        """
        template = self._template(img, bbox)
        self.templates = [template] * (1 + len(self.test_cfg["update_intervals"]))

    def update_template(
        self, img: torch.Tensor, bbox: Sequence[float] | torch.Tensor, conf_score: float
    ) -> None:
        """Replace the templates whose turn it is, if the box is sure enough.

        Args:
            img: The frame, ``(1, C, H, W)``, RGB from 0 to 255.
            bbox: The box found in it: centre x, centre y, width and height in pixels.
            conf_score: Score of that box.
        """
        intervals = self.test_cfg["update_intervals"]
        due = [i for i, frames in enumerate(intervals) if self.frame_id % frames == 0]
        if not due or conf_score <= UPDATE_SCORE:
            return
        template = self._template(img, bbox)
        for i in due:
            self.templates[i + 1] = template

    def _template(self, img: torch.Tensor, bbox: Sequence[float] | torch.Tensor) -> dict[str, Any]:
        cfg = self.test_cfg
        return self._region(img, bbox, cfg["template_factor"], cfg["template_size"])[0]

    def _region(
        self, img: torch.Tensor, bbox: Sequence[float] | torch.Tensor, area_factor: float, size: int
    ) -> tuple[dict[str, Any], float]:
        """Features and mask of a crop as the head wants them, and the resize factor."""
        crop, resize_factor, mask = self.normalized_crop(img, bbox, area_factor, size)
        return {"feat": self.extract_feat(crop), "mask": mask}, resize_factor

    def normalized_crop(
        self, img: torch.Tensor, bbox: Sequence[float] | torch.Tensor, area_factor: float, size: int
    ) -> tuple[torch.Tensor, float, torch.Tensor]:
        """A crop as :meth:`get_cropped_img` makes it, normalised and on the device of the model.

        Only the crop moves there; the frame may stay in main memory.
        """
        crop, resize_factor, mask = self.get_cropped_img(img, bbox, area_factor, size)
        device = next(self.parameters()).device
        return _normalize(crop.to(device)), resize_factor, mask.to(device)

    def get_cropped_img(
        self,
        img: torch.Tensor,
        target_bbox: Sequence[float] | np.ndarray | torch.Tensor,
        search_area_factor: float,
        output_size: float,
    ) -> tuple[torch.Tensor, float, torch.Tensor]:
        """Cut a square around a box, with zeros outside the frame.

        Args:
            img: The frame, ``(1, C, H, W)``, of any type.
            target_bbox: Centre x, centre y, width and height in pixels.
            search_area_factor: Side of the square over the side of a square of the area of the
                box.
            output_size: Side of the result in pixels.

        Returns:
            The crop ``(1, C, output_size, output_size)``, the pixels of the crop for one pixel of
            the frame, and the mask of the padding ``(1, output_size, output_size)``.

        Raises:
            ValueError: the box has no area, or a coordinate is not finite.
        """
        return crop_target(img, _floats(target_bbox), search_area_factor, int(output_size))

    def mapping_bbox_back(
        self, pred_bboxes: torch.Tensor, prev_bbox: torch.Tensor, resize_factor: float
    ) -> torch.Tensor:
        """Move boxes from the search region to the frame.

        Args:
            pred_bboxes: ``(B, num_query, 4)``, x1y1x2y2 in pixels of the search region.
            prev_bbox: The boxes around which the region was cut, ``(B, 4)``: centre x, centre y,
                width and height in pixels of the frame.
            resize_factor: Pixels of the search region for one pixel of the frame.

        Returns:
            ``(B, num_query, 4)``, x1y1x2y2 in pixels of the frame.
        """
        origin = prev_bbox[:, :2] - 0.5 * self.test_cfg["search_size"] / resize_factor
        return pred_bboxes / resize_factor + origin.repeat(1, 2)[:, None]

    def track(
        self, img: torch.Tensor, bbox: Sequence[float] | torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Find the target near its last box.

        Args:
            img: The frame, ``(1, C, H, W)``, RGB from 0 to 255.
            bbox: The box in the previous frame: centre x, centre y, width and height in pixels.

        Returns:
            Score without dimensions (-1 without a score head) and box ``(4,)`` (centre x, centre
            y, width and height), at least 10 pixels wide and high and reaching into the frame.
            Both are in main memory.

        Raises:
            FloatingPointError: the network's output is not finite.
        """
        cfg = self.test_cfg
        search, factor = self._region(img, bbox, cfg["search_factor"], cfg["search_size"])
        return self._in_frame(self.head([*self.templates, search]), img, bbox, factor)

    def _in_frame(
        self,
        results: dict[str, torch.Tensor],
        img: torch.Tensor,
        bbox: Sequence[float] | torch.Tensor,
        resize_factor: float,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Score and box, see :meth:`track`, of what the head found in the region around a box."""
        score, found = _read(results)
        previous = found.new_tensor([_floats(bbox)])
        found = self.mapping_bbox_back(found, previous, resize_factor)[0].mean(dim=0)
        return score, clip_to_frame(found, *img.shape[-2:])

    def simple_test(
        self,
        img: torch.Tensor,
        img_metas: list[dict],
        gt_bboxes: list[torch.Tensor],
        **kwargs: Any,
    ) -> dict[str, np.ndarray]:
        """Box of the target in the next frame.

        Args:
            img: The frame, ``(1, C, H, W)``, RGB from 0 to 255.
            img_metas: Its meta data; ``frame_id`` 0 starts a video.
            gt_bboxes: The target, ``(1, 4)`` x1y1x2y2 or ``(1, 8)`` corners of a polygon; only
                that of the first frame is used.
            **kwargs: Not used.

        Returns:
            ``track_bboxes``: x1, y1, x2, y2 and the score, which is -1 in the first frame.

        Raises:
            KeyError: the meta data have no ``frame_id``.
            RuntimeError: the first frame that the model sees is not the first of a video.
            ValueError: the first box has no area or lies outside of the frame.
        """
        if "frame_id" not in img_metas[0]:
            raise KeyError("img_metas has no 'frame_id': collect the frames with VideoCollect")
        self.frame_id = int(img_metas[0]["frame_id"])
        gt_bbox = gt_bboxes[0][0] if self.frame_id == 0 else None
        corners, score = self._one_pass.step(img, self.frame_id, gt_bbox)
        return {"track_bboxes": torch.cat((corners, score[None])).numpy()}

    def start(self, img: torch.Tensor, bbox: torch.Tensor) -> None:
        """Begin a video with a target, see :class:`FrameTracker`."""
        self.init(img, bbox)
        self.bbox = bbox

    def follow(self, img: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Box and score of the target in the next frame, see :class:`FrameTracker`.

        Raises:
            RuntimeError: there is no target; the first frame is missing.
        """
        if self.bbox is None:
            raise RuntimeError("there is no object to follow: begin with the frame of frame_id 0")
        score, self.bbox = self.track(img, self.bbox)
        self.update_template(img, self.bbox, float(score))
        return self.bbox, score

    def forward_train(
        self,
        img: torch.Tensor,
        img_metas: list[dict],
        search_img: torch.Tensor,
        search_img_metas: list[list[dict]],
        gt_bboxes: list[torch.Tensor],
        padding_mask: torch.Tensor,
        search_gt_bboxes: list[torch.Tensor],
        search_padding_mask: torch.Tensor,
        search_gt_labels: list[torch.Tensor] | None = None,
        **kwargs: Any,
    ) -> dict[str, torch.Tensor]:
        """Losses of a batch.

        Args:
            img: Templates, ``(N, num_templates, C, H, W)``, normalised.
            img_metas: Not used.
            search_img: Search regions, ``(N, 1, C, H, W)``, normalised.
            search_img_metas: Not used.
            gt_bboxes: Not used: the templates show the target.
            padding_mask: Padding of the templates, ``(N, num_templates, H, W)``.
            search_gt_bboxes: Per sample ``(1, 5)``: number of the frame, x1y1x2y2 in pixels.
            search_padding_mask: Padding of the search regions, ``(N, 1, H, W)``.
            search_gt_labels: Per sample ``(1, 2)``: number of the frame, and 1 where the search
                region shows the target. Needed by a head that scores.
            **kwargs: Not used.

        Returns:
            The losses, see :meth:`mmtrack.models.track_heads.StarkHead.loss`.
        """
        count = img.shape[1]
        feats = [feat.unflatten(0, (-1, count)) for feat in self.extract_feat(img.flatten(0, 1))]
        inputs = [
            {"feat": tuple(feat[:, i] for feat in feats), "mask": padding_mask[:, i]}
            for i in range(count)
        ]
        search = search_img[:, 0]
        inputs.append({"feat": self.extract_feat(search), "mask": search_padding_mask[:, 0]})
        return self.head.loss(
            self.head(inputs), search_gt_bboxes, search_gt_labels, tuple(search.shape[-2:])
        )


def _normalize(crop: torch.Tensor) -> torch.Tensor:
    # Channel by channel, because a tensor of constants would have to travel to the device, and the
    # host would wait for it.
    channels = zip(crop.unbind(1), IMG_MEAN, IMG_STD, strict=True)
    return torch.stack([(channel - mean) / std for channel, mean, std in channels], dim=1)


def _read(results: dict[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """Score and boxes ``(1, num_query, 4)`` on the CPU: the only wait for the device in a frame."""
    bboxes = results["pred_bboxes"]
    logits = results.get("pred_logits", bboxes[..., :0]).flatten()
    values = torch.cat((bboxes.flatten(), logits.sigmoid())).cpu().double()
    if not torch.isfinite(values).all():
        raise FloatingPointError(f"the network found {values.tolist()}, which is no box")
    found, scores = values.split((bboxes.numel(), logits.numel()))
    score = scores.mean() if len(scores) else found.new_tensor(NO_SCORE)
    return score, found.view(bboxes.shape)


def clip_to_frame(bbox: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Keep a box from leaving the frame or vanishing.

    A box that reaches over the border at the top or the left is moved, not cut: the target has
    not become smaller.

    Args:
        bbox: ``(4,)``, x1y1x2y2 in pixels.
        height: Height of the frame.
        width: Width of the frame.

    Returns:
        ``(4,)``, centre x, centre y, width and height in pixels.
    """
    size = bbox.new_tensor([width, height])
    start = torch.minimum(bbox[:2].clamp(min=0), size - MIN_SIDE)
    sides = torch.minimum((bbox[2:] - bbox[:2]).clamp(min=MIN_SIDE), size)
    return torch.cat((start + sides / 2, sides))


def _floats(bbox: Sequence[float] | np.ndarray | torch.Tensor) -> tuple[float, ...]:
    values = bbox.tolist() if isinstance(bbox, torch.Tensor | np.ndarray) else bbox
    return tuple(map(float, values))
