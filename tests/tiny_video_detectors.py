"""Video detectors so small that a frame takes milliseconds, and videos for them."""

from __future__ import annotations

import numpy as np
import torch

from mmtrack.models import build_model

SIZE = (64, 96)  # height, width
CLASSES = 3
CHANNELS = 16
FLOWNET = {"type": "FlowNetSimple", "img_scale_factor": 0.5, "out_indices": [2, 3]}
AGGREGATOR = {"type": "EmbedAggregator", "num_convs": 1, "channels": CHANNELS}


def detector(extractor: str = "SingleRoIExtractor", *, selsa: bool = False, num_fcs: int = 2):
    """Config of a Faster R-CNN with stride 16."""
    head = {
        "in_channels": CHANNELS,
        "fc_out_channels": 32,
        "roi_feat_size": 3,
        "num_classes": CLASSES,
        "num_shared_fcs": num_fcs,
        "bbox_coder": {"type": "DeltaXYWHBBoxCoder"},
        "type": "SelsaBBoxHead" if selsa else "ConvFCBBoxHead",
    }
    if selsa:
        head["aggregator"] = {
            "type": "SelsaAggregator",
            "in_channels": 32,
            "num_attention_blocks": 4,
        }
    nms = {"type": "nms", "iou_threshold": 0.7}
    assigner = {
        "type": "MaxIoUAssigner", "pos_iou_thr": 0.5, "neg_iou_thr": 0.4, "min_pos_iou": 0.3,
    }  # fmt: skip
    sampler = {
        "type": "RandomSampler", "num": 16, "pos_fraction": 0.5, "add_gt_as_proposals": True,
    }  # fmt: skip
    return {
        "type": "FasterRCNN",
        "backbone": {
            "type": "ResNet", "depth": 18, "base_channels": 4, "out_indices": [3],
            "strides": (1, 2, 2, 1), "dilations": (1, 1, 1, 2), "norm_eval": True,
        },
        "neck": {
            "type": "ChannelMapper", "in_channels": [32], "out_channels": CHANNELS,
            "kernel_size": 3,
        },
        "rpn_head": {
            "type": "RPNHead", "in_channels": CHANNELS, "feat_channels": CHANNELS,
            "anchor_generator": {
                "type": "AnchorGenerator", "scales": [1, 2], "ratios": [1.0], "strides": [16],
            },
        },
        "roi_head": {
            "type": "SelsaRoIHead" if selsa else "StandardRoIHead",
            "bbox_roi_extractor": {
                "type": extractor, "out_channels": CHANNELS, "featmap_strides": [16],
                "roi_layer": {"type": "RoIAlign", "output_size": 3, "sampling_ratio": 2},
            },
            "bbox_head": head,
        },
        "train_cfg": {
            "rpn": {
                "assigner": assigner, "sampler": {**sampler, "add_gt_as_proposals": False},
                "allowed_border": 0, "pos_weight": -1, "debug": False,
            },
            "rpn_proposal": {"nms_pre": 50, "max_per_img": 12, "nms": nms, "min_bbox_size": 0},
            "rcnn": {"assigner": assigner, "sampler": sampler, "pos_weight": -1, "debug": False},
        },
        "test_cfg": {
            "rpn": {"nms_pre": 50, "max_per_img": 20, "nms": nms, "min_bbox_size": 0},
            "rcnn": {
                "score_thr": 0.0, "nms": {"type": "nms", "iou_threshold": 0.5}, "max_per_img": 10,
            },
        },
    }  # fmt: skip


def build(cfg: dict, seed: int = 0) -> torch.nn.Module:
    """A model in test mode whose outputs depend on all its inputs."""
    torch.manual_seed(seed)
    model = build_model(cfg)
    for name, parameter in model.named_parameters():
        if "bn" not in name:
            # small last layers keep scores apart from 0 and 1, and boxes near their anchors
            gain = 0.01 if name.split(".")[-2] in ("fc_cls", "fc_reg", "rpn_reg") else 1
            torch.nn.init.normal_(parameter, std=gain * (2 / max(parameter[0].numel(), 8)) ** 0.5)
    return model.eval()


def dff(**kwargs) -> torch.nn.Module:
    """DFF with two key frames in six frames."""
    return build(
        {"type": "DFF", "detector": detector(), "motion": FLOWNET,
         "test_cfg": {"key_frame_interval": 4}, **kwargs}
    )  # fmt: skip


def fgfa() -> torch.nn.Module:
    """FGFA."""
    return build(
        {"type": "FGFA", "detector": detector(), "motion": FLOWNET, "aggregator": AGGREGATOR}
    )


def selsa(extractor: str = "SingleRoIExtractor") -> torch.nn.Module:
    """SELSA, with Temporal RoI Align where its name is given."""
    return build({"type": "SELSA", "detector": detector(extractor, selsa=True)})


class Video:
    """Seeded frames, and the references that a dataset would bring with each.

    Args:
        length: Number of frames.
        left: References before the key frame, for a fixed stride; None for an adaptive one.
        right: References after it, or the number of all references.
        stride: Distance of the references.
        size: Height and width.
        name: Of the video.
    """

    def __init__(self, length, left=None, right=3, stride=1, size=SIZE, name="video", seed=0):
        rng = np.random.default_rng(seed)
        base = rng.normal(size=(3, size[0], size[1] + 4 * length)).astype(np.float32)
        width = size[1]
        self.frames = [torch.from_numpy(base[None, ..., 4 * t : 4 * t + width].copy()) for t in
                       range(length)]  # fmt: skip
        self.left, self.right, self.stride, self.name = left, right, stride, name

    def meta(self, frame_id: int) -> dict:
        """Meta data of a frame."""
        height, width = self.frames[frame_id].shape[-2:]
        meta = {
            "filename": f"{self.name}/{frame_id}.jpg", "frame_id": frame_id,
            "img_shape": (height, width, 3), "pad_shape": (height, width, 3),
            "ori_shape": (height, width, 3), "scale_factor": np.ones(4, np.float32), "flip": False,
            "img_norm_cfg": {"mean": np.full(3, 128.0), "std": np.full(3, 58.0), "to_rgb": True},
        }  # fmt: skip
        if self.left is not None:
            meta.update(num_left_ref_imgs=self.left, frame_stride=self.stride)
        return meta

    def references(self, frame_id: int) -> list[int]:
        """Frames that come with a frame."""
        last = len(self.frames) - 1
        if self.left is None:
            spread = [round(i * last / (self.right - 1)) for i in range(self.right)]
            return spread if frame_id == 0 else []
        if frame_id == 0:
            ahead = [min(i * self.stride, last) for i in range(1, self.right + 1)]
            return [0] * (self.left + 1) + ahead
        if frame_id % self.stride == 0:
            return [min(frame_id + self.right * self.stride, last)]
        return []

    def inputs(self, frame_id: int) -> dict:
        """Arguments of the model for a frame."""
        found = {"img": [self.frames[frame_id]], "img_metas": [[self.meta(frame_id)]]}
        references = self.references(frame_id)
        if references:
            found["ref_img"] = [torch.cat([self.frames[i] for i in references])[None]]
            found["ref_img_metas"] = [[[self.meta(i) for i in references]]]
        return found


@torch.no_grad()
def run(model: torch.nn.Module, video: Video, *, references: bool = True) -> list[list]:
    """Boxes of every frame, per class."""
    results = []
    for frame_id in range(len(video.frames)):
        inputs = video.inputs(frame_id)
        if not references:
            inputs = {k: v for k, v in inputs.items() if not k.startswith("ref")}
        results.append(model(return_loss=False, rescale=True, **inputs)["det_bboxes"])
    return results


class Calls:
    """Counts the images that a module sees."""

    def __init__(self, module: torch.nn.Module):
        self.images = 0
        module.register_forward_hook(self._count)

    def _count(self, module, inputs, output) -> None:
        images = inputs[0]
        self.images += len(images if isinstance(images, torch.Tensor) else images[0])
