"""Parts of single object trackers: the branch of the template, and that of the search region."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from mmdet.core.bbox.transforms import bbox_xyxy_to_cxcywh

from mmtrack.models.sot import SiamRPN, Stark
from mmtrack.models.sot.siamrpn import Target, clip_boxes
from mmtrack.models.sot.stark import IMG_MEAN, IMG_STD

from .clip import Clip
from .networks import SiamRPNSearch, SiamRPNTemplate, StarkSearch, StarkTemplate
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
    keys = ("template_size", "search_size", "template_factor", "search_factor")
    metadata = {
        "mean": list(IMG_MEAN),
        "std": list(IMG_STD),
        "to_rgb": True,
        "templates": 1 + len(cfg["update_intervals"]),
        "update_intervals": list(cfg["update_intervals"]),
        **{key: cfg[key] for key in keys},
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
        found = model.head([*model.templates, region])
        expected = {"bbox": found["pred_bboxes"][0].mean(dim=0)}
        if scored:
            expected["score"] = found["pred_logits"].sigmoid().mean()
        yield Case(inputs, expected)
        _, bbox = model.track(frame, bbox)
    model.reset()


def _stark_crop(
    model: Stark, frame: torch.Tensor, bbox: torch.Tensor, kind: str
) -> tuple[torch.Tensor, torch.Tensor]:
    """Normalised crop and mask of its padding; ``kind``: ``'template'`` or ``'search'``."""
    cfg = model.test_cfg
    crop, _, mask = model.get_cropped_img(frame, bbox, cfg[f"{kind}_factor"], cfg[f"{kind}_size"])
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (IMG_MEAN, IMG_STD))
    return (crop - mean) / std, mask


def _tensors(clip: Clip, *, to_rgb: bool) -> list[torch.Tensor]:
    """Frames ``(1, 3, H, W)`` float."""
    frames = [frame[..., ::-1] if to_rgb else frame for frame in clip.frames]
    return [
        torch.from_numpy(np.ascontiguousarray(f.transpose(2, 0, 1)))[None].float() for f in frames
    ]


def _first_box(clip: Clip) -> torch.Tensor:
    """Box of the object in the first frame: centre x, centre y, width, height."""
    return bbox_xyxy_to_cxcywh(torch.from_numpy(clip.bboxes[:1]))[0]
