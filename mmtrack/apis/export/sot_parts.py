"""Parts of single object trackers: the branch of the template, and that of the search region."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle, islice
from typing import Any

import numpy as np
import torch
from mmdet.core.bbox.transforms import bbox_xyxy_to_cxcywh

from mmtrack.models.sot import MixFormer, SiamRPN, Stark
from mmtrack.models.sot.mixformer import ONE_NUMBER
from mmtrack.models.sot.siamrpn import Target, clip_boxes
from mmtrack.models.sot.stark import IMG_MEAN, IMG_STD, UPDATE_SCORE

from .clip import Clip
from .networks import (
    MixFormerSearch,
    MixFormerTemplate,
    SiamRPNSearch,
    SiamRPNTemplate,
    StarkSearch,
    StarkTemplate,
    stack_memory,
)
from .part import Case, ExportPart


def siamrpn_parts(model: SiamRPN) -> dict[str, ExportPart]:
    """Template and search branch of SiameseRPN++."""
    levels = range(len(model.head.cls_heads))
    kernels = tuple(f"{kind}_kernel_{i}" for kind in ("cls", "reg") for i in levels)
    cfg = model.test_cfg
    metadata = {
        "mean": [0.0, 0.0, 0.0],
        "std": [1.0, 1.0, 1.0],
        "to_rgb": False,
        **{key: cfg[key] for key in ("exemplar_size", "search_size", "context_amount")},
    }

    @torch.no_grad()
    def template(clip: Clip) -> list[Case]:
        _, target, crop = _siamrpn_start(model, clip)
        found = (*target.template.cls, *target.template.reg)
        return [Case({"template": crop}, dict(zip(kernels, found, strict=True)))]

    @torch.no_grad()
    def search(clip: Clip) -> list[Case]:
        frames, target, _ = _siamrpn_start(model, clip)
        return list(_siamrpn_search(model, frames, target, kernels))

    return {
        "template": ExportPart(
            name="template",
            graph=SiamRPNTemplate(model),
            outputs=kernels,
            cases=template,
            metadata={**metadata, "size": cfg["exemplar_size"]},
        ),
        "search": ExportPart(
            name="search",
            graph=SiamRPNSearch(model),
            outputs=("bbox", "score"),
            cases=search,
            metadata={**metadata, "size": cfg["search_size"]},
        ),
    }


def _siamrpn_start(model: SiamRPN, clip: Clip) -> tuple[list[torch.Tensor], Target, torch.Tensor]:
    """Frames as tensors, what the tracker remembers of the first, and the template it cut."""
    frames, bbox = _tensors(clip, to_rgb=False), _first_box(clip)
    target = model.make_target(frames[0], bbox)
    region = model.search_region(bbox)
    size = model.test_cfg["exemplar_size"]
    side = round(size / region.scale)
    crop = model.get_cropped_img(frames[0], bbox[:2], size, side, target.avg_channel)
    return frames, target, crop


def _siamrpn_search(
    model: SiamRPN, frames: list[torch.Tensor], target: Target, names: tuple[str, ...]
) -> Iterator[Case]:
    """The frames after the first, each from the box that the model found in the one before."""
    bbox = target.bbox
    found = dict(zip(names, (*target.template.cls, *target.template.reg), strict=True))
    for frame in frames[1:]:
        region = model.search_region(bbox)
        inputs = {
            "search": model.search_crop(frame, region, target.avg_channel),
            "prev_bbox": bbox,
            "scale_factor": torch.tensor(region.scale),
            **found,
        }
        maps = model.head(target.template, model.forward_search(inputs["search"]))
        score, best = model.head.get_bbox(*maps, bbox, region.scale)
        yield Case(inputs, {"bbox": best, "score": score})
        bbox = clip_boxes(best, *frame.shape[-2:])
        if not torch.isfinite(bbox).all():
            return  # random weights: there is no place to look at in the next frame


def stark_parts(model: Stark) -> dict[str, ExportPart]:
    """Template and search branch of STARK."""
    cfg = model.test_cfg
    metadata = {
        **_crop_metadata(model),
        "templates": 1 + len(cfg["update_intervals"]),
        "update_intervals": list(cfg["update_intervals"]),
    }
    scored = model.head.cls_head is not None

    @torch.no_grad()
    def template(clip: Clip) -> list[Case]:
        crop, _ = _stark_crop(model, _tensors(clip, to_rgb=True)[0], _first_box(clip), "template")
        return [Case({"template": crop}, {"feat": model.extract_feat(crop)[0]})]

    @torch.no_grad()
    def search(clip: Clip) -> list[Case]:
        return list(_stark_search(model, clip, scored))

    return {
        "template": ExportPart(
            name="template",
            graph=StarkTemplate(model),
            outputs=("feat",),
            cases=template,
            metadata={**metadata, "size": cfg["template_size"]},
        ),
        "search": ExportPart(
            name="search",
            graph=StarkSearch(model),
            outputs=("bbox", "score") if scored else ("bbox",),
            cases=search,
            metadata={**metadata, "size": cfg["search_size"]},
        ),
    }


def _crop_metadata(model: Stark) -> dict[str, Any]:
    """How templates and search regions are cut and normalised."""
    keys = ("template_size", "search_size", "template_factor", "search_factor")
    normalization = {"mean": list(IMG_MEAN), "std": list(IMG_STD), "to_rgb": True}
    return {**normalization, **{key: model.test_cfg[key] for key in keys}}


def _stark_search(model: Stark, clip: Clip, scored: bool) -> Iterator[Case]:
    frames, bbox = _tensors(clip, to_rgb=True), _first_box(clip)
    model.init(frames[0], bbox)
    for frame in frames[1:]:
        crop, mask = _stark_crop(model, frame, bbox, "search")
        inputs = {
            "search": crop,
            "search_mask": mask,
            "template_feats": torch.cat([t["feat"][0] for t in model.templates]),
            "template_masks": torch.cat([t["mask"] for t in model.templates]),
        }
        region = {"feat": model.extract_feat(crop), "mask": mask}
        yield Case(inputs, _expected(model.head([*model.templates, region]), scored))
        _, bbox = model.track(frame, bbox)
    model.reset()


def _expected(found: dict[str, torch.Tensor], scored: bool) -> dict[str, torch.Tensor]:
    """What a graph must give for the output of a head."""
    expected = {"bbox": found["pred_bboxes"][0].mean(dim=0)}
    if scored:
        expected["score"] = found["pred_logits"].sigmoid().mean()
    return expected


def mixformer_parts(model: MixFormer) -> dict[str, ExportPart]:
    """Template and search branch of MixFormer."""
    cfg = model.test_cfg
    metadata = {
        **_crop_metadata(model),
        "update_score": UPDATE_SCORE,
        **{key: cfg[key] for key in ONE_NUMBER},
    }
    stages = range(len(model.backbone.depth))
    memory = tuple(f"{kind}_{i}" for i in stages for kind in ("keys", "values"))
    scored = model.head.score_decoder_head is not None

    @torch.no_grad()
    def template(clip: Clip) -> list[Case]:
        return [
            Case({"templates": t}, dict(zip(outputs, _mixformer_known(model, t), strict=True)))
            for t in _mixformer_templates(model, clip)
        ]

    @torch.no_grad()
    def search(clip: Clip) -> list[Case]:
        return list(_mixformer_search(model, clip, outputs, scored))

    outputs = ("template_feat", *memory)
    return {
        "template": ExportPart(
            name="template",
            graph=MixFormerTemplate(model),
            outputs=outputs,
            cases=template,
            metadata={**metadata, "size": cfg["template_size"]},
            dynamic={"templates": {0: torch.export.Dim.AUTO}},
        ),
        "search": ExportPart(
            name="search",
            graph=MixFormerSearch(model),
            outputs=("bbox", "score") if scored else ("bbox",),
            cases=search,
            metadata={**metadata, "size": cfg["search_size"]},
            dynamic={name: {2: torch.export.Dim.AUTO} for name in memory},
        ),
    }


def _mixformer_templates(model: MixFormer, clip: Clip) -> list[torch.Tensor]:
    """Templates of the first frame, and as many as there may be, of the others too."""
    frames, bbox = _tensors(clip, to_rgb=True), _first_box(clip)
    crops = [_stark_crop(model, frame, bbox, "template")[0] for frame in frames]
    most = 1 + int(model.test_cfg["online_size"][0])
    views = list(islice(cycle(crops), most))
    return [torch.cat((crops[0], crops[0])), torch.cat(views)]


def _mixformer_known(model: MixFormer, templates: torch.Tensor) -> list[torch.Tensor]:
    """What the backbone knows of templates, as the graph of the search takes it."""
    model.set_online(templates[:1], templates[1:])
    feat, memory = model.backbone.online
    return [feat, *stack_memory(memory, model.backbone.depth)]


def _mixformer_search(
    model: MixFormer, clip: Clip, names: tuple[str, ...], scored: bool
) -> Iterator[Case]:
    frames, bbox = _tensors(clip, to_rgb=True), _first_box(clip)
    model.init(frames[0], bbox)
    for frame, templates in zip(frames[1:], cycle(_mixformer_templates(model, clip))):
        known = dict(zip(names, _mixformer_known(model, templates), strict=True))
        crop, _ = _stark_crop(model, frame, bbox, "search")
        found = model.head(*model.backbone.forward_test(crop))
        yield Case({"search": crop, **known}, _expected(found, scored))
        _, bbox = model.track(frame, bbox)
    model.reset()


def _stark_crop(
    model: Stark, frame: torch.Tensor, bbox: torch.Tensor, kind: str
) -> tuple[torch.Tensor, torch.Tensor]:
    """Normalised crop and mask of its padding; ``kind``: ``'template'`` or ``'search'``."""
    cfg = model.test_cfg
    crop, _, mask = model.normalized_crop(frame, bbox, cfg[f"{kind}_factor"], cfg[f"{kind}_size"])
    return crop, mask


def _tensors(clip: Clip, *, to_rgb: bool) -> list[torch.Tensor]:
    """Frames ``(1, 3, H, W)`` float."""
    frames = [frame[..., ::-1] if to_rgb else frame for frame in clip.frames]
    return [
        torch.from_numpy(np.ascontiguousarray(f.transpose(2, 0, 1)))[None].float() for f in frames
    ]


def _first_box(clip: Clip) -> torch.Tensor:
    """Box of the object in the first frame: centre x, centre y, width, height."""
    return bbox_xyxy_to_cxcywh(torch.from_numpy(clip.bboxes[:1]))[0]
