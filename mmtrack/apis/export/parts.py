"""Which parts of a model can be exported."""

from __future__ import annotations

import mmcv
from torch import nn

from mmtrack.models.reid import BaseReID
from mmtrack.models.sot import MixFormer, SiamRPN, Stark

from .mot_parts import crop_preprocessing, detector_part, reid_part
from .part import ExportPart
from .preprocessing import Preprocessing
from .sot_parts import mixformer_parts, siamrpn_parts, stark_parts

# The first that fits counts: MixFormer is a Stark, too.
SOT_PARTS = {SiamRPN: siamrpn_parts, MixFormer: mixformer_parts, Stark: stark_parts}


def part_names(model: nn.Module) -> tuple[str, ...]:
    """Names of the parts of a model that can be exported.

    Raises:
        ValueError: it has none.
    """
    if isinstance(model, tuple(SOT_PARTS)):
        return ("template", "search")
    if isinstance(model, BaseReID):
        return ("reid",)
    names = tuple(name for name in ("detector", "reid") if getattr(model, name, None) is not None)
    if not names and hasattr(model, "extract_feat"):
        return ("detector",)  # a detector that is trained alone
    if not names:
        raise ValueError(
            f"{type(model).__name__} has no part that can be exported: it has no detector and no "
            "reid, and is none of SiamRPN, Stark and MixFormer"
        )
    return names


def make_part(
    model: nn.Module,
    cfg: mmcv.Config,
    name: str,
    *,
    size: tuple[int, int] | None = None,
    dynamic: bool = False,
) -> ExportPart:
    """One part of a model.

    Args:
        model: A model in evaluation mode on the CPU, with its weights.
        cfg: Its config.
        name: One of :func:`part_names`.
        size: Height and width of the input in place of those of the config; not for single object
            trackers, whose sizes belong to their settings.
        dynamic: Take images of any size; only for detectors. ReID models take any number of crops
            in any case.

    Raises:
        ValueError: the model has no such part, or it cannot be exported like that.
    """
    known = part_names(model)
    if name not in known:
        raise ValueError(
            f"{type(model).__name__} has no part {name!r} to export; it has {', '.join(known)}"
        )
    if dynamic and name != "detector":
        raise ValueError(f"only the size of a detector's input can be dynamic, not that of {name}")
    for kind, parts in SOT_PARTS.items():
        if isinstance(model, kind):
            if size is not None:
                raise ValueError(
                    f"the size of the input of {name} is set by model.test_cfg of the config"
                )
            return parts(model)[name]
    if name == "detector":
        return detector_part(getattr(model, "detector", model), cfg, size, dynamic=dynamic)
    if isinstance(model, BaseReID):
        return reid_part(model, Preprocessing.of_pipeline(cfg.data.test.pipeline, size))
    return reid_part(model.reid, crop_preprocessing(model, cfg, size))
