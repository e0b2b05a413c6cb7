"""Sequence level semantics aggregation."""

from __future__ import annotations

from typing import Any

import torch

from ..builder import MODELS, build_detector
from ..pretrains import with_pretrains
from .base import BaseVideoDetector
from .detection import pack_detections, proposal_losses
from .frame_memory import ReferenceWindow, Tensors
from .proposal_memory import Encoded, ProposalMemory


@MODELS.register_module()
class SELSA(BaseVideoDetector):
    """Sequence level semantics aggregation: proposals draw on those of other frames of the video.

    Args:
        detector: Config of a detector with two stages whose RoI head is a ``SelsaRoIHead``.
        pretrains: Deprecated: checkpoint of ``detector`` by this name. Use its ``init_cfg``.
        init_cfg: Initialisation of the weights.
        frozen_modules: Names of parts that are not trained.
        train_cfg: Not used.
        test_cfg: Not used.

    Reference: Wu et al., "Sequence Level Semantics Aggregation for Video Object Detection",
    ICCV 2019.
    """

    def __init__(
        self,
        detector: dict,
        pretrains: dict | None = None,
        init_cfg: dict | None = None,
        frozen_modules: str | list[str] | None = None,
        train_cfg: dict | None = None,
        test_cfg: dict | None = None,
    ):
        super().__init__(init_cfg)
        (detector,) = with_pretrains(pretrains, detector=detector)
        self.detector = build_detector(detector)
        if not hasattr(getattr(self.detector, "roi_head", None), "encode_references"):
            raise ValueError(
                "SELSA compares proposals: the detector must have two stages and a roi_head of "
                "type SelsaRoIHead"
            )
        self.train_cfg = train_cfg
        self.test_cfg = test_cfg
        if frozen_modules is not None:
            self.freeze_module(frozen_modules)
        self._window = ReferenceWindow(self._extract)
        self._known = ProposalMemory(
            self._window, self._propose, self._encode, self.detector.test_cfg.rpn.max_per_img
        )

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
        """Losses of a frame whose proposals draw on those of its references.

        Args:
            img: The key frame, ``(1, C, H, W)``.
            img_metas: Its meta data.
            gt_bboxes: ``[(G, 4)]``, ``x1, y1, x2, y2`` in pixels.
            gt_labels: ``[(G,)]``.
            ref_img: Its references, ``(1, R, C, H, W)``.
            ref_img_metas: Their meta data, ``[[dict, ...]]``.
            gt_bboxes_ignore: Boxes that are neither right nor wrong, ``[(K, 4)]``.
            gt_masks: Masks, for a mask head.
            proposals: Proposals that are given from outside, ``[(P, 5)]``.
            ref_proposals: The same of each reference.
            ref_gt_bboxes: As all further names with ``ref_gt``: of the references, not used.
            ref_gt_labels: Not used.
            gt_instance_ids: Not used.
            ref_gt_instance_ids: Not used.
            ref_gt_bboxes_ignore: Not used.
            ref_gt_masks: Not used.
            **kwargs: For the second stage of the detector.

        Returns:
            Losses by name.

        Raises:
            ValueError: there are several key frames.
        """
        if len(img) != 1:
            raise ValueError(
                f"SELSA is trained with one key frame per GPU, found {len(img)}: set "
                "data.samples_per_gpu=1"
            )
        levels = self.detector.extract_feat(torch.cat((img, ref_img[0])))
        x, ref_x = [level[:1] for level in levels], [level[1:] for level in levels]
        losses, proposals = proposal_losses(
            self.detector, x, img_metas, gt_bboxes, gt_bboxes_ignore, proposals
        )
        if ref_proposals is None:
            ref_proposals = self._training_proposals(ref_x, ref_img_metas[0])
        second = self.detector.roi_head.forward_train(
            x,
            ref_x,
            img_metas,
            proposals,
            ref_proposals,
            gt_bboxes,
            gt_labels,
            gt_bboxes_ignore,
            gt_masks,
            **kwargs,
        )
        return {**losses, **second}

    def extract_feats(
        self,
        img: torch.Tensor,
        img_metas: list[dict],
        ref_img: torch.Tensor | None,
        ref_img_metas: list[list[dict]] | None,
    ) -> tuple[list[torch.Tensor], list[dict], list[torch.Tensor], list[dict]]:
        """Features of a frame in a test, and of the references of the video.

        Args:
            img: ``(1, C, H, W)``.
            img_metas: Its meta data; ``frame_id`` 0 starts a video.
            ref_img: References that the frame brings, ``(1, N, C, H, W)``; see
                :class:`ReferenceWindow`.
            ref_img_metas: Their meta data, ``[[dict, ...]]``.

        Returns:
            Features ``(1, C, H, W)`` per level, ``img_metas``, features of the references
            ``(R, C, H, W)`` per level in no order of time, and their meta data. The frame itself is
            one of the references. The tensors are valid until the next frame.

        Raises:
            ValueError: the video did not start with frame 0 and its references, or its frames
                differ in size.
        """
        place = self._window.update(img, img_metas, ref_img, ref_img_metas)
        x = list(self._window.frame(place))
        return x, img_metas, list(self._window.tensors), list(self._window.metas)

    def simple_test(
        self,
        img: torch.Tensor,
        img_metas: list[dict],
        ref_img: list[torch.Tensor] | None = None,
        ref_img_metas: list[list[list[dict]]] | None = None,
        proposals: list[torch.Tensor] | None = None,
        ref_proposals: list[torch.Tensor] | None = None,
        rescale: bool = False,
    ) -> dict[str, list]:
        """Detections of a frame.

        Args:
            img: ``(1, C, H, W)``.
            img_metas: Its meta data; ``frame_id`` 0 starts a video.
            ref_img: References that the frame brings, ``[(1, N, C, H, W)]``.
            ref_img_metas: Their meta data, ``[[[dict, ...]]]``.
            proposals: Proposals that are given from outside, ``[(P, 5)]``.
            ref_proposals: The same of each reference, in the order of :meth:`extract_feats`.
            rescale: Boxes in pixels of the original image instead of ``img``.

        Returns:
            ``det_bboxes``: per class ``(n, 5)``, ``x1, y1, x2, y2, score``.
        """
        if ref_img is not None:
            ref_img, ref_img_metas = ref_img[0], ref_img_metas[0]
        x, img_metas, ref_x, ref_img_metas = self.extract_feats(
            img, img_metas, ref_img, ref_img_metas
        )
        options = {}
        if ref_proposals is None:
            self._known.update()
            options["references"] = self._known.references()
        if proposals is None and ref_proposals is None:
            proposals = [self._known.proposals(self._window.key)]
        elif proposals is None:
            proposals = self._propose(x, img_metas)
        found = self.detector.roi_head.simple_test(
            x, ref_x, proposals, ref_proposals, img_metas, rescale=rescale, **options
        )
        return pack_detections(found)

    def _extract(self, frames: torch.Tensor) -> Tensors:
        return tuple(self.detector.extract_feat(frames))

    def _propose(self, x: Tensors, img_metas: list[dict]) -> list[torch.Tensor]:
        return self.detector.rpn_head.simple_test_rpn(x, img_metas)

    def _encode(self, x: Tensors, proposals: list[torch.Tensor]) -> Encoded:
        return self.detector.roi_head.encode_references(x, proposals)

    @torch.no_grad()
    def _training_proposals(
        self, ref_x: list[torch.Tensor], ref_metas: list[dict]
    ) -> list[torch.Tensor]:
        """Proposals of references, as many as in training; they are no target of the losses."""
        config = self.detector.train_cfg.get("rpn_proposal", self.detector.test_cfg.rpn)
        head = self.detector.rpn_head
        return head.get_bboxes(*head(ref_x), img_metas=ref_metas, cfg=config)
