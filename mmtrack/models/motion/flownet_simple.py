"""Optical flow between two frames by a small network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from mmcv.runner import BaseModule
from torch import nn

from ..builder import MOTION

LEAKY = {"type": "LeakyReLU", "negative_slope": 0.1}
COLORS = 3
# Level to output channels, kernel size of the convolution that halves the map, and whether a second
# convolution follows it. FlowNet, figure 2 (simple version).
CONTRACTION = {
    1: (64, 7, False),
    2: (128, 5, False),
    3: (256, 5, True),
    4: (512, 3, True),
    5: (512, 3, True),
    6: (1024, 3, True),
}
# Level to output channels of the refinement. FlowNet, figure 3.
REFINEMENT = {5: 512, 4: 256, 3: 128, 2: 64}


@MOTION.register_module()
class FlowNetSimple(BaseModule):
    """FlowNet, simple version.

    Args:
        img_scale_factor: Images are resized by it before the network sees them.
        out_indices: Levels of the contracting part that the refinement uses, deepest last: 2 to n.
        flow_scale_factor: The network was trained on flow divided by 4 times this number.
        flow_img_norm_std: Divisor of pixel values, per colour.
        flow_img_norm_mean: Subtracted after the division, per colour.
        init_cfg: Initialisation of the weights.
        scale_channels: Also predict a scale field with so many channels, one for each channel of
            the features that are warped (Deep Feature Flow, section 4). It starts as 1. Published
            weights have none.

    Reference: Dosovitskiy et al., "FlowNet: Learning Optical Flow with Convolutional Networks",
    ICCV 2015; Zhu et al., "Deep Feature Flow for Video Recognition", CVPR 2017.
    """

    def __init__(
        self,
        img_scale_factor: float,
        out_indices: Sequence[int] = (2, 3, 4, 5, 6),
        flow_scale_factor: float = 5.0,
        flow_img_norm_std: Sequence[float] = (255.0, 255.0, 255.0),
        flow_img_norm_mean: Sequence[float] = (0.411, 0.432, 0.450),
        init_cfg: dict | None = None,
        scale_channels: int | None = None,
    ):
        super().__init__(init_cfg)
        self.out_indices = list(out_indices)
        deepest = max(self.out_indices, default=0)
        if deepest not in range(3, 7) or self.out_indices != list(range(2, deepest + 1)):
            raise ValueError(
                "out_indices of FlowNetSimple must be the levels 2 to n with n in 3 to 6, "
                f"found {self.out_indices}"
            )
        self.img_scale_factor = img_scale_factor
        self.flow_scale_factor = flow_scale_factor
        self.flow_img_norm_std = list(flow_img_norm_std)
        self.flow_img_norm_mean = list(flow_img_norm_mean)
        channels = 2 * COLORS
        for level in range(1, deepest + 1):
            out, kernel_size, twice = CONTRACTION[level]
            convs = [_conv(channels, out, kernel_size, stride=2)]
            if twice:
                convs.append(_conv(out, out, 3, stride=1))
            self.add_module(f"conv{level}", nn.Sequential(*convs))
            channels = out
        for level in range(deepest - 1, 1, -1):
            self.add_module(f"deconv{level}", _deconv(channels, REFINEMENT[level], LEAKY))
            self.add_module(f"predict_flow{level + 1}", _predict(channels))
            self.add_module(f"upsample_flow{level}", _deconv(2, 2, None))
            channels = CONTRACTION[level][0] + REFINEMENT[level] + 2
        self.predict_flow = _predict(channels)
        self.predict_scale: nn.Conv2d | None = None
        if scale_channels is not None:
            self.predict_scale = nn.Conv2d(channels, scale_channels, 1)

    def init_weights(self) -> None:
        """Initialise the weights; the scale field starts as 1 everywhere."""
        if self.predict_scale is not None:
            # before checkpoints, which may hold trained values
            nn.init.zeros_(self.predict_scale.weight)
            nn.init.ones_(self.predict_scale.bias)
        super().init_weights()

    def prepare_imgs(self, imgs: torch.Tensor, img_metas: list[dict]) -> torch.Tensor:
        """Images as FlowNet was trained on them.

        Args:
            imgs: Pairs of images, ``(N, 6, H, W)``, normalised.
            img_metas: Meta data; ``img_norm_cfg`` of the first one says how they were normalised.

        Returns:
            ``(N, 6, h, w)``, resized by ``img_scale_factor``.
        """
        norm = img_metas[0]["img_norm_cfg"]

        def per_color(values: Any) -> torch.Tensor:  # noqa: ANN401
            return torch.as_tensor(values, dtype=imgs.dtype, device=imgs.device).view(
                1, 1, -1, 1, 1
            )

        pairs = imgs.unflatten(1, (2, COLORS))
        pairs = pairs * per_color(norm["std"]) + per_color(norm["mean"])
        pairs = pairs / per_color(self.flow_img_norm_std) - per_color(self.flow_img_norm_mean)
        return F.interpolate(
            pairs.flatten(1, 2),
            scale_factor=self.img_scale_factor,
            mode="bilinear",
            align_corners=False,
        )

    def crop_like(self, input: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Cut a map at the right and at the bottom to the size of another one.

        Args:
            input: ``(N, C, H, W)``.
            target: ``(N, D, h, w)``, not larger.

        Returns:
            ``(N, C, h, w)``.
        """
        return input[..., : target.size(-2), : target.size(-1)]

    def forward(self, imgs: torch.Tensor, img_metas: list[dict]) -> torch.Tensor:
        """Flow of pairs of images.

        Args:
            imgs: Pairs of images, ``(N, 6, H, W)``, normalised; flow leads from the first one to
                the second one.
            img_metas: Meta data of the images.

        Returns:
            Displacement in x and y, ``(N, 2, H, W)``, in pixels of ``imgs``.
        """
        return self._flow(self._decode(imgs, img_metas), imgs.shape[-2:])

    def flow_and_scale(
        self, imgs: torch.Tensor, img_metas: list[dict], size: Sequence[int]
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Flow, and the scale field for features of a given size.

        Args:
            imgs: Pairs of images, ``(N, 6, H, W)``.
            img_metas: Meta data of the images.
            size: Height and width of the features.

        Returns:
            Flow as from :meth:`forward`, and factors ``(N, scale_channels, *size)``, None without
            ``scale_channels``.
        """
        decoded = self._decode(imgs, img_metas)
        flow = self._flow(decoded, imgs.shape[-2:])
        if self.predict_scale is None:
            return flow, None
        scale = self.predict_scale(decoded)
        scale = F.interpolate(scale, size=tuple(size), mode="bilinear", align_corners=False)
        return flow, scale

    def _decode(self, imgs: torch.Tensor, img_metas: list[dict]) -> torch.Tensor:
        """Finest features of the refinement, from which flow is predicted."""
        x = self.prepare_imgs(imgs, img_metas)
        maps = {}
        for level in range(1, self.out_indices[-1] + 1):
            x = self.get_submodule(f"conv{level}")(x)
            maps[level] = x
        for level in reversed(self.out_indices[:-1]):
            flow = self.get_submodule(f"predict_flow{level + 1}")(x)
            finer = maps[level]
            parts = (
                self.get_submodule(f"deconv{level}")(x),
                self.get_submodule(f"upsample_flow{level}")(flow),
            )
            x = torch.cat((finer, *(self.crop_like(part, finer) for part in parts)), dim=1)
        return x

    def _flow(self, decoded: torch.Tensor, size: Sequence[int]) -> torch.Tensor:
        flow = self.predict_flow(decoded)
        # Level 2 is a quarter as wide as the resized image: factor 4 turns its pixels into those of
        # the resized image, and the division turns these into pixels of the given images.
        factor = self.flow_scale_factor * 4 / self.img_scale_factor
        return factor * F.interpolate(flow, size=tuple(size), mode="bilinear", align_corners=False)


def _conv(in_channels: int, out_channels: int, kernel_size: int, stride: int) -> ConvModule:
    return ConvModule(
        in_channels,
        out_channels,
        kernel_size,
        stride=stride,
        padding=kernel_size // 2,
        act_cfg=LEAKY,
    )


def _deconv(in_channels: int, out_channels: int, act_cfg: dict | None) -> ConvModule:
    """Transposed convolution that doubles a map."""
    return ConvModule(
        in_channels,
        out_channels,
        4,
        stride=2,
        padding=1,
        bias=False,
        conv_cfg={"type": "ConvTranspose2d"},
        act_cfg=act_cfg,
    )


def _predict(in_channels: int) -> ConvModule:
    return ConvModule(in_channels, 2, 3, padding=1, bias=False, act_cfg=None)
