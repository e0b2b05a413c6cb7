"""Deep Feature Flow."""

from __future__ import annotations

from typing import Any

import torch
from mmcv import ConfigDict

from ...core.motion import flow_warp_feats
from ..builder import MODELS, build_detector, build_motion
from ..pretrains import with_pretrains
from .base import BaseVideoDetector
from .detection import detect, detection_losses
from .frame_memory import FrameMemory, Tensors, frame_number

KEY_FRAME_INTERVAL = 10


@MODELS.register_module()
class DFF(BaseVideoDetector):
    """Deep Feature Flow: features of key frames are moved to the frames in between.

    Args:
        detector: Config of the detector.
        motion: Config of the flow network.
        pretrains: Deprecated: checkpoints of ``detector`` and ``motion`` by these names. Use the
            ``init_cfg`` of the parts.
        init_cfg: Initialisation of the weights.
        frozen_modules: Names of parts that are not trained.
        train_cfg: Not used.
        test_cfg: ``key_frame_interval``: every so many frames the backbone runs; 10 by default.

    Reference: Zhu et al., "Deep Feature Flow for Video Recognition", CVPR 2017.
    """

    def __init__(
        self,
        detector: dict,
        motion: dict,
        pretrains: dict | None = None,
        init_cfg: dict | None = None,
        frozen_modules: str | list[str] | None = None,
        train_cfg: dict | None = None,
        test_cfg: dict | None = None,
    ):
        super().__init__(init_cfg)
        detector, motion = with_pretrains(pretrains, detector=detector, motion=motion)
        self.detector = build_detector(detector)
        self.motion = build_motion(motion)
        self.train_cfg = train_cfg
        self.test_cfg = ConfigDict(test_cfg or {})
        self.key_frame_interval = self.test_cfg.get("key_frame_interval", KEY_FRAME_INTERVAL)
        if self.key_frame_interval < 1:
            raise ValueError(
                f"test_cfg.key_frame_interval must be at least 1, found {self.key_frame_interval}"
            )
        if frozen_modules is not None:
            self.freeze_module(frozen_modules)
        self._key_frame = FrameMemory(self._describe)

    def forward_train(
        self,
        img: torch.Tensor,
        img_metas: list[dict],
        gt_bboxes: list[torch.Tensor],
        gt_labels: list[torch.Tensor],
        ref_img: torch.Tensor,
        ref_img_metas: list[list[dict]],
        ref_gt_bboxes: list[torch.Tensor] | None = None,
        ref_gt_labels: list[torch.Tensor] | None = None,
        gt_instance_ids: list[torch.Tensor] | None = None,
        gt_bboxes_ignore: list[torch.Tensor] | None = None,
        gt_masks: Any = None,
        proposals: list[torch.Tensor] | None = None,
        ref_gt_instance_ids: list[torch.Tensor] | None = None,
        ref_gt_bboxes_ignore: list[torch.Tensor] | None = None,
        ref_gt_masks: Any = None,
        ref_proposals: list[torch.Tensor] | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Losses of frames whose features come from another frame.

        Args:
            img: Frames, ``(N, C, H, W)``.
            img_metas: Their meta data.
            gt_bboxes: Per frame ``(G, 4)``, ``x1, y1, x2, y2`` in pixels.
            gt_labels: Per frame ``(G,)``.
            ref_img: The key frame of each, ``(N, 1, C, H, W)``.
            ref_img_metas: Per frame the meta data of its key frame.
            gt_bboxes_ignore: Per frame boxes that are neither right nor wrong, ``(K, 4)``.
            gt_masks: Masks, for detectors that want them.
            proposals: Proposals that are given from outside.
            ref_gt_bboxes: As all further names with ``ref_gt``: of the key frames, not used.
            ref_gt_labels: Not used.
            gt_instance_ids: Not used.
            ref_gt_instance_ids: Not used.
            ref_gt_bboxes_ignore: Not used.
            ref_gt_masks: Not used.
            ref_proposals: Not used.
            **kwargs: For the second stage of the detector.

        Returns:
            Losses by name.

        Raises:
            ValueError: a frame has several references.
        """
        if ref_img.dim() != 5 or ref_img.size(1) != 1:
            raise ValueError(
                "DFF is trained with one reference per frame, (N, 1, C, H, W), found "
                f"{tuple(ref_img.shape)}: set num_ref_imgs=1 in ref_img_sampler"
            )
        key_img = ref_img[:, 0]
        x = self._propagate(img, img_metas, key_img, self.detector.extract_feat(key_img))
        return detection_losses(
            self.detector,
            x,
            img_metas,
            gt_bboxes,
            gt_labels,
            gt_bboxes_ignore=gt_bboxes_ignore,
            gt_masks=gt_masks,
            proposals=proposals,
            **kwargs,
        )

    def extract_feats(self, img: torch.Tensor, img_metas: list[dict]) -> list[torch.Tensor]:
        """Features of a frame in a test: by the backbone, or from the last key frame.

        Args:
            img: ``(1, C, H, W)``.
            img_metas: Its meta data; ``frame_id`` 0 starts a video.

        Returns:
            One tensor ``(1, C, H, W)`` per level.

        Raises:
            ValueError: the video did not start with frame 0, or its frames differ in size.
        """
        frame_id = frame_number(img_metas[0])
        if frame_id == 0:
            self._key_frame.start(img, img_metas)
        elif frame_id % self.key_frame_interval == 0:
            self._key_frame.replace(0, img, img_metas[0])
        else:
            self._key_frame.check(img, img_metas[0])
            key_img, *feats = self._key_frame.tensors
            return self._propagate(img, img_metas, key_img, feats)
        return list(self._key_frame.tensors[1:])

    def simple_test(
        self,
        img: torch.Tensor,
        img_metas: list[dict],
        ref_img: None = None,
        ref_img_metas: None = None,
        proposals: list[torch.Tensor] | None = None,
        rescale: bool = False,
    ) -> dict[str, list]:
        """Detections of a frame.

        Args:
            img: ``(1, C, H, W)``.
            img_metas: Its meta data; ``frame_id`` 0 starts a video.
            ref_img: Not used: key frames are those of the video.
            ref_img_metas: Not used.
            proposals: Proposals that are given from outside.
            rescale: Boxes in pixels of the original image instead of ``img``.

        Returns:
            ``det_bboxes``: per class ``(n, 5)``, ``x1, y1, x2, y2, score``.
        """
        x = self.extract_feats(img, img_metas)
        return detect(self.detector, x, img_metas, proposals, rescale)

    def _describe(self, frames: torch.Tensor) -> Tensors:
        return (frames, *self.detector.extract_feat(frames))

    def _propagate(
        self,
        img: torch.Tensor,
        img_metas: list[dict],
        key_img: torch.Tensor,
        key_feats: Tensors | list[torch.Tensor],
    ) -> list[torch.Tensor]:
        """Features of frames from those of their key frames; shapes ``(N, C, H, W)``."""
        pairs = torch.cat((img, key_img), dim=1)
        if getattr(self.motion, "predict_scale", None) is None:
            flow = self.motion(pairs, img_metas)
            return [flow_warp_feats(feat, flow) for feat in key_feats]
        flow, scale = self.motion.flow_and_scale(pairs, img_metas, key_feats[0].shape[-2:])
        return [flow_warp_feats(feat, flow) * scale for feat in key_feats]
