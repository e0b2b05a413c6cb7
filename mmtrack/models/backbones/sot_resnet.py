"""The ResNet of SiamRPN++: fewer padded borders, stride 8 in all stages that are used."""

from __future__ import annotations

from typing import Any

from mmcv.cnn import build_conv_layer, build_norm_layer
from mmdet.models.backbones import ResNet
from mmdet.models.backbones.resnet import Bottleneck
from mmdet.models.builder import BACKBONES
from torch import nn

ALL_STAGES = 4


def same_padding(stride: int, dilation: int) -> int:
    """Padding of a 3x3 convolution: none where it halves the resolution, else what keeps it."""
    return 0 if stride > 1 else dilation


class SOTBottleneck(Bottleneck):
    """Bottleneck whose strided 3x3 convolution does not pad.

    Padding breaks the translation invariance that the correlation of template and search features
    rests on (SiamRPN++, section 3.1). Convolutions that keep the resolution still pad.

    Args:
        stride: Of the 3x3 convolution.
        dilation: Of the 3x3 convolution.
        **kwargs: Of mmdet's ``Bottleneck``.
    """

    def __init__(self, *, stride: int = 1, dilation: int = 1, **kwargs: Any):
        super().__init__(stride=stride, dilation=dilation, **kwargs)
        self.conv2.padding = (same_padding(stride, dilation),) * 2


class SOTResLayer(nn.Sequential):
    """A stage of the backbone.

    The first block of a dilated stage has half the dilation, because its input still has the
    dilation of the stage before. The shortcut of a stage that would have reduced the resolution
    is a 3x3 convolution of the same kind, so that both paths see the same pixels.

    Args:
        block: Class of the blocks.
        inplanes: Channels of the input.
        planes: Channels inside the blocks; the output has ``planes * block.expansion``.
        num_blocks: Number of blocks.
        stride: Of the first block.
        dilation: Of the blocks after the first.
        avg_down: Not supported, there for the call of mmdet's ResNet.
        conv_cfg: Kind of convolutions.
        norm_cfg: Kind of norms.
        **kwargs: Of the blocks.

    Raises:
        ValueError: ``avg_down`` is set.
    """

    def __init__(
        self,
        block: type[SOTBottleneck],
        inplanes: int,
        planes: int,
        num_blocks: int,
        stride: int = 1,
        dilation: int = 1,
        avg_down: bool = False,
        conv_cfg: dict | None = None,
        norm_cfg: dict | None = None,
        **kwargs: Any,
    ):
        if avg_down:
            raise ValueError("SOTResNet has convolutions as shortcuts: avg_down must be False")
        common = {"planes": planes, "conv_cfg": conv_cfg, "norm_cfg": norm_cfg, **kwargs}
        outplanes = planes * block.expansion
        first_dilation = max(dilation // 2, 1)
        keeps_grid = stride == 1 and dilation == 1
        shortcut = build_conv_layer(
            conv_cfg,
            inplanes,
            outplanes,
            kernel_size=1 if keeps_grid else 3,
            stride=stride,
            padding=0 if keeps_grid else same_padding(stride, first_dilation),
            dilation=first_dilation,
            bias=False,
        )
        first = block(
            inplanes=inplanes,
            stride=stride,
            dilation=first_dilation,
            downsample=nn.Sequential(shortcut, build_norm_layer(norm_cfg, outplanes)[1]),
            **common,
        )
        rest = [
            block(inplanes=outplanes, dilation=dilation, **common) for _ in range(1, num_blocks)
        ]
        super().__init__(first, *rest)


@BACKBONES.register_module()
class SOTResNet(ResNet):
    """ResNet for trackers that correlate template and search features.

    With ``strides=(1, 2, 1, 1)`` and ``dilations=(1, 1, 2, 4)`` the last three stages have stride
    8: a template of 127 pixels gives maps of 15 x 15, a search image of 255 pixels 31 x 31.

    Args:
        depth: 50.
        unfreeze_backbone: False freezes all stages, whatever ``frozen_stages`` says. An optimizer
            hook may set them free later.
        **kwargs: Of mmdet's ``ResNet``.

    Raises:
        ValueError: another depth.

    Reference: Li et al., "SiamRPN++: Evolution of Siamese Visual Tracking with Very Deep Networks",
    CVPR 2019, section 3.3.
    """

    arch_settings = {50: (SOTBottleneck, (3, 4, 6, 3))}

    def __init__(self, depth: int, unfreeze_backbone: bool = True, **kwargs: Any):
        if depth not in self.arch_settings:
            raise ValueError(f"SOTResNet has a depth of 50, not {depth}")
        if not unfreeze_backbone:
            kwargs["frozen_stages"] = ALL_STAGES
        super().__init__(depth, **kwargs)
        if self.deep_stem:
            raise ValueError("SOTResNet has one convolution as stem: deep_stem must be False")
        self.conv1.padding = (0, 0)

    def make_res_layer(self, **kwargs: Any) -> SOTResLayer:
        """Build a stage; see :class:`SOTResLayer`."""
        return SOTResLayer(**kwargs)
