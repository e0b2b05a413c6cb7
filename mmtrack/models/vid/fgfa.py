"""Flow-guided feature aggregation."""

from __future__ import annotations

from typing import Any

import torch

from ...core.motion import flow_warp_feats
from ..builder import MODELS, build_aggregator, build_detector, build_motion
from ..pretrains import with_pretrains
from .base import BaseVideoDetector
from .detection import detect, detection_losses
from .frame_memory import ReferenceWindow, Tensors


@MODELS.register_module()
class FGFA(BaseVideoDetector):
    """Flow-guided feature aggregation: features of neighbours are moved to a frame and averaged.

    Args:
        detector: Config of the detector.
        motion: Config of the flow network.
        aggregator: Config of the aggregator of feature maps.
        pretrains: Deprecated: checkpoints of ``detector``, ``motion`` and ``aggregator`` by these
            names. Use the ``init_cfg`` of the parts.
        init_cfg: Initialisation of the weights.
        frozen_modules: Names of parts that are not trained.
        train_cfg: Not used.
        test_cfg: Not used.

    Reference: Zhu et al., "Flow-Guided Feature Aggregation for Video Object Detection", ICCV 2017.
    """

    def __init__(
        self,
        detector: dict,
        motion: dict,
        aggregator: dict,
        pretrains: dict | None = None,
        init_cfg: dict | None = None,
        frozen_modules: str | list[str] | None = None,
        train_cfg: dict | None = None,
        test_cfg: dict | None = None,
    ):
        super().__init__(init_cfg)
        detector, motion, aggregator = with_pretrains(
            pretrains, detector=detector, motion=motion, aggregator=aggregator
        )
        self.detector = build_detector(detector)
        self.motion = build_motion(motion)
        self.aggregator = build_aggregator(aggregator)
        self.train_cfg = train_cfg
        self.test_cfg = test_cfg
        if frozen_modules is not None:
            self.freeze_module(frozen_modules)
        self._window = ReferenceWindow(self._describe)

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
        """Losses of frames whose features are means over their references.

        Args:
            img: Key frames, ``(N, C, H, W)``.
            img_metas: Their meta data.
            gt_bboxes: Per key frame ``(G, 4)``, ``x1, y1, x2, y2`` in pixels.
            gt_labels: Per key frame ``(G,)``.
            ref_img: References of each key frame, ``(N, R, C, H, W)``.
            ref_img_metas: Per key frame the meta data of its references.
            gt_bboxes_ignore: Per frame boxes that are neither right nor wrong, ``(K, 4)``.
            gt_masks: Masks, for detectors that want them.
            proposals: Proposals that are given from outside.
            ref_gt_bboxes: As all further names with ``ref_gt``: of the references, not used.
            ref_gt_labels: Not used.
            gt_instance_ids: Not used.
            ref_gt_instance_ids: Not used.
            ref_gt_bboxes_ignore: Not used.
            ref_gt_masks: Not used.
            ref_proposals: Not used.
            **kwargs: For the second stage of the detector.

        Returns:
            Losses by name.
        """
        count, references = ref_img.shape[:2]
        ref_img = ref_img.flatten(0, 1)
        levels = self.detector.extract_feat(torch.cat((img, ref_img)))
        keys = [img[i : i + 1].expand(references, -1, -1, -1) for i in range(count)]
        flow = self.motion(torch.cat((torch.cat(keys), ref_img), dim=1), img_metas)
        x = []
        for level in levels:
            warped = flow_warp_feats(level[count:], flow).unflatten(0, (count, references))
            means = [self.aggregator(level[i : i + 1], warped[i]) for i in range(count)]
            x.append(torch.cat(means))
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

    def extract_feats(
        self,
        img: torch.Tensor,
        img_metas: list[dict],
        ref_img: torch.Tensor | None,
        ref_img_metas: list[list[dict]] | None,
    ) -> list[torch.Tensor]:
        """Features of a frame in a test, aggregated over the references of the video.

        Args:
            img: ``(1, C, H, W)``.
            img_metas: Its meta data; ``frame_id`` 0 starts a video.
            ref_img: References that the frame brings, ``(1, N, C, H, W)``; see
                :class:`ReferenceWindow`.
            ref_img_metas: Their meta data, ``[[dict, ...]]``.

        Returns:
            One tensor ``(1, C, H, W)`` per level.

        Raises:
            ValueError: the video did not start with frame 0 and its references, or its frames
                differ in size.
        """
        place = self._window.update(img, img_metas, ref_img, ref_img_metas)
        frames, *levels = self._window.tensors
        # The key frame is its own reference and need not be moved.
        others = [i for i in range(len(frames)) if i != place]
        pairs = torch.cat((img.expand(len(others), -1, -1, -1), frames[others]), dim=1)
        flow = self.motion(pairs, img_metas) if others else None
        x = []
        for level in levels:
            key = level[place : place + 1]
            warped = [flow_warp_feats(level[others], flow)] if others else []
            x.append(self.aggregator(key, torch.cat((key, *warped))))
        return x

    def simple_test(
        self,
        img: torch.Tensor,
        img_metas: list[dict],
        ref_img: list[torch.Tensor] | None = None,
        ref_img_metas: list[list[list[dict]]] | None = None,
        proposals: list[torch.Tensor] | None = None,
        rescale: bool = False,
    ) -> dict[str, list]:
        """Detections of a frame.

        Args:
            img: ``(1, C, H, W)``.
            img_metas: Its meta data; ``frame_id`` 0 starts a video.
            ref_img: References that the frame brings, ``[(1, N, C, H, W)]``.
            ref_img_metas: Their meta data, ``[[[dict, ...]]]``.
            proposals: Proposals that are given from outside.
            rescale: Boxes in pixels of the original image instead of ``img``.

        Returns:
            ``det_bboxes``: per class ``(n, 5)``, ``x1, y1, x2, y2, score``.
        """
        if ref_img is not None:
            ref_img, ref_img_metas = ref_img[0], ref_img_metas[0]
        x = self.extract_feats(img, img_metas, ref_img, ref_img_metas)
        return detect(self.detector, x, img_metas, proposals, rescale)

    def _describe(self, frames: torch.Tensor) -> Tensors:
        return (frames, *self.detector.extract_feat(frames))
