"""MixFormer: one network that extracts features and compares them with templates."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import torch

from ..builder import MODELS
from .protocols import NO_SCORE
from .stark import UPDATE_SCORE, Stark

# Settings of the test that are lists of one number.
ONE_NUMBER = ("update_interval", "online_size", "max_score_decay")


@MODELS.register_module()
class MixFormer(Stark):
    """MixFormer: End-to-End Tracking with Iterative Mixed Attention.

    The backbone extracts features of the search region and mixes in those of the templates; a box
    is read from them at once. The first template shows the target in the first frame. Online
    templates follow its appearance: every ``update_interval`` frames the surest view since the
    last time joins them, and the oldest one goes. The backbone keeps what it needs of the
    templates until then, so that a frame costs the search region alone.

    Args:
        backbone: Config of the backbone, see
            :class:`mmtrack.models.backbones.ConvVisionTransformer`.
        head: Config of the head, see :class:`mmtrack.models.track_heads.MixFormerHead`.
        init_cfg: Initialisation of the weights.
        frozen_modules: Parts that do not learn, for the second stage of the training.
        train_cfg: Settings of the training.
        test_cfg: Settings of the test: ``search_factor`` and ``template_factor`` (side of the crop
            over the side of the target), ``search_size`` and ``template_size`` (pixels),
            ``update_interval`` (frames), ``online_size`` (largest number of online templates) and
            ``max_score_decay`` (what the score of the surest view is multiplied with in every
            frame, so that newer views win). The last three are lists of one number.

    Raises:
        ValueError: one of the last three is not a list of one number.

    Reference: Cui et al., "MixFormer: End-to-End Tracking with Iterative Mixed Attention", CVPR
    2022.
    """

    def __init__(
        self,
        backbone: dict,
        head: dict | None = None,
        init_cfg: dict | None = None,
        frozen_modules: str | list[str] | tuple[str, ...] | None = None,
        train_cfg: dict | None = None,
        test_cfg: dict | None = None,
    ):
        super().__init__(
            backbone,
            head=head,
            init_cfg=init_cfg,
            frozen_modules=frozen_modules,
            train_cfg=train_cfg,
            test_cfg=test_cfg,
        )
        if test_cfg is not None:
            for name in ONE_NUMBER:
                self._setting(name)

    def _setting(self, name: str) -> float:
        """The number of a setting that is a list of one, as in the published configs."""
        value = self.test_cfg[name]
        if not isinstance(value, list | tuple) or len(value) != 1:
            raise ValueError(f"model.test_cfg.{name} is {value!r}, expected a list of one number")
        return value[0]

    def reset(self) -> None:
        """Forget the video."""
        super().reset()
        self.backbone.reset()
        self.template: torch.Tensor | None = None
        self.online_templates: deque[torch.Tensor] = deque()
        self._forget_views()

    def _forget_views(self) -> None:
        """Without a sure view, the first template is the best one."""
        self.best_template = self.template
        self.best_score = 0.0

    def init(self, img: torch.Tensor, bbox: Sequence[float] | torch.Tensor) -> None:
        """Start a video: all templates show the target in this frame.

        Args:
            img: The frame, ``(1, C, H, W)``, RGB from 0 to 255.
            bbox: The target: centre x, centre y, width and height in pixels.

        Raises:
            ValueError: the box has no area, or a coordinate is not finite.
        """
        self.template = self._template(img, bbox)
        self.online_templates = deque([self.template], maxlen=self._setting("online_size"))
        self._forget_views()
        self.set_online(self.template, self.template)

    def set_online(self, template: torch.Tensor, online_template: torch.Tensor) -> None:
        """Have the backbone compute what it needs of the templates.

        Args:
            template: The first template, ``(1, C, H, W)``, normalised.
            online_template: Online templates, ``(K, C, H, W)``.
        """
        self.backbone.set_online(template, online_template)

    def update_template(
        self, img: torch.Tensor, bbox: Sequence[float] | torch.Tensor, conf_score: float
    ) -> None:
        """Remember the surest view of the target, and make it an online template when it is time.

        Without a score head templates never change.

        Args:
            img: The frame, ``(1, C, H, W)``, RGB from 0 to 255.
            bbox: The box found in it: centre x, centre y, width and height in pixels.
            conf_score: Score of that box.
        """
        if conf_score == NO_SCORE:
            return
        self.best_score *= self._setting("max_score_decay")
        if conf_score > max(UPDATE_SCORE, self.best_score):
            self.best_template, self.best_score = self._template(img, bbox), conf_score
        if self.frame_id % self._setting("update_interval") == 0:
            self.online_templates.append(self.best_template)
            self.set_online(self.template, torch.cat(list(self.online_templates)))
            self._forget_views()

    def _template(self, img: torch.Tensor, bbox: Sequence[float] | torch.Tensor) -> torch.Tensor:
        cfg = self.test_cfg
        return self.normalized_crop(img, bbox, cfg["template_factor"], cfg["template_size"])[0]

    def track(
        self, img: torch.Tensor, bbox: Sequence[float] | torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Find the target near its last box, see :meth:`Stark.track`.

        Args:
            img: The frame, ``(1, C, H, W)``, RGB from 0 to 255.
            bbox: The box in the previous frame: centre x, centre y, width and height in pixels.

        Raises:
            FloatingPointError: the network's output is not finite.
        """
        cfg = self.test_cfg
        search, factor, _ = self.normalized_crop(
            img, bbox, cfg["search_factor"], cfg["search_size"]
        )
        results = self.head(*self.backbone.forward_test(search))
        return self._in_frame(results, img, bbox, factor)

    def forward_train(
        self,
        imgs: torch.Tensor,
        img_metas: list[dict],
        search_img: torch.Tensor,
        search_img_metas: list[list[dict]],
        search_gt_bboxes: Sequence[torch.Tensor] = (),
        search_gt_labels: Sequence[torch.Tensor] | None = None,
        **kwargs: Any,
    ) -> dict[str, torch.Tensor]:
        """Losses of a batch.

        The score is learnt from true boxes: those of the target, or of the other object that a
        search region without the target shows.

        Args:
            imgs: Templates, ``(N, T, C, H, W)``, normalised; all but the first are online
                templates.
            img_metas: Not used.
            search_img: Search regions, ``(N, 1, C, H, W)``, normalised.
            search_img_metas: Not used.
            search_gt_bboxes: Per sample ``(1, 5)``: number of the frame, x1y1x2y2 in pixels.
            search_gt_labels: Per sample ``(1, 2)``: number of the frame, and 1 where the search
                region shows the target. Needed by a head that scores.
            **kwargs: Not used, as the padding masks that STARK wants.

        Returns:
            The losses, see :meth:`mmtrack.models.track_heads.MixFormerHead.loss`.

        Raises:
            ValueError: there is not one true box per sample.
        """
        if len(search_gt_bboxes) != len(imgs):
            raise ValueError(
                f"{len(search_gt_bboxes)} search_gt_bboxes for {len(imgs)} samples: collect "
                "gt_bboxes in the train pipeline"
            )
        search = search_img[:, 0]
        template_feat, search_feat = self.backbone(imgs[:, 0], imgs[:, 1:].flatten(0, 1), search)
        bboxes = torch.stack([bboxes[0, 1:] for bboxes in search_gt_bboxes])
        results = self.head(template_feat, search_feat, gt_bboxes=bboxes)
        return self.head.loss(results, search_gt_bboxes, search_gt_labels, tuple(search.shape[-2:]))
