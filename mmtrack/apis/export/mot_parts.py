"""Parts of trackers and video detectors: the detector, and the ReID model."""

from __future__ import annotations

import mmcv
import numpy as np
import torch
from torch import nn
from torch.export import Dim

from mmtrack.core.track.crops import clip_to_pixels, crop_resize
from mmtrack.models.mot.detections import detect_objects

from .clip import Clip
from .detectors import detector_graph
from .networks import EmbeddingGraph
from .part import Case, ExportPart
from .preprocessing import Prepared, Preprocessing, normalize_step

LONGEST_SIDE = 8192  # pixels
MOST_CROPS = 4096


def detector_part(
    detector: nn.Module, cfg: mmcv.Config, size: tuple[int, int] | None, *, dynamic: bool
) -> ExportPart:
    """A detector: normalised image to boxes after suppression.

    Args:
        detector: Any detector that :func:`detector_graph` takes.
        cfg: Config whose test pipeline prepares frames.
        size: Height and width of the input; None for those of the pipeline.
        dynamic: Take images of other sizes as well.
    """
    graph = detector_graph(detector)
    prepare = Preprocessing.of_pipeline(cfg.data.test.pipeline, size)
    sizes = [prepare.size]
    sides = {}
    if dynamic:
        step = prepare.divisor
        sizes.append(tuple(max(2, side // step - 1) * step for side in prepare.size))
        most = LONGEST_SIDE // step
        sides = {
            2: step * Dim("rows", min=2, max=most),
            3: step * Dim("cols", min=2, max=most),
        }

    @torch.no_grad()
    def cases(clip: Clip) -> list[Case]:
        inputs = [prepare.apply(clip.frames[0], size) for size in sizes]
        return [_detector_case(detector, prepared, graph.clips) for prepared in inputs]

    return ExportPart(
        name="detector",
        graph=graph,
        outputs=("dets", "labels"),
        cases=cases,
        metadata={**prepare.metadata(), "clips": graph.clips, "dynamic": dynamic},
        dynamic={"image": sides} if dynamic else {},
    )


def _detector_case(detector: nn.Module, prepared: Prepared, clips: bool) -> Case:
    height, width = prepared.image.shape[-2:]
    metas = {
        "img_shape": (*prepared.content, 3),
        "pad_shape": (height, width, 3),
        "batch_input_shape": (height, width),
        "scale_factor": np.ones(4, np.float32),
    }
    found = detect_objects(detector, prepared.image, [metas], rescale=False)
    inputs = {"image": prepared.image}
    if clips:
        inputs["img_shape"] = torch.tensor(prepared.content, dtype=torch.float32)
    return Case(inputs, {"dets": found.bboxes, "labels": found.labels})


def reid_part(reid: nn.Module, prepare: Preprocessing) -> ExportPart:
    """A ReID model: any number of normalised crops to embeddings.

    Args:
        reid: A ``BaseReID``.
        prepare: How crops are normalised, and their size.
    """

    @torch.no_grad()
    def cases(clip: Clip) -> list[Case]:
        crops = normalized_crops(clip.frames[0], clip.bboxes, prepare)
        crops = torch.cat((crops, crops.flip(3)))  # two at least: exporters take 1 for a constant
        batches = (crops, crops[:1])
        return [Case({"crops": c}, {"embeds": reid.simple_test(c)}) for c in batches]

    return ExportPart(
        name="reid",
        graph=EmbeddingGraph(reid),
        outputs=("embeds",),
        cases=cases,
        metadata=prepare.metadata(),
        dynamic={"crops": {0: Dim("crops", min=1, max=MOST_CROPS)}},
    )


def normalized_crops(frame: np.ndarray, bboxes: np.ndarray, prepare: Preprocessing) -> torch.Tensor:
    """Crops of boxes as trackers cut them, ``(n, 3, *prepare.size)``.

    Args:
        frame: ``(H, W, 3)`` uint8, BGR.
        bboxes: ``(n, 4)``, x1y1x2y2 in pixels.
        prepare: Size and normalisation.
    """
    pixels = frame[..., ::-1] if prepare.to_rgb else frame
    image = torch.from_numpy(pixels.transpose(2, 0, 1)[None].astype(np.float32))
    regions = clip_to_pixels(torch.from_numpy(bboxes), *frame.shape[:2])
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (prepare.mean, prepare.std))
    return (crop_resize(image, regions, prepare.size) - mean) / std


def crop_preprocessing(
    model: nn.Module, cfg: mmcv.Config, size: tuple[int, int] | None
) -> Preprocessing:
    """How the tracker of a model cuts crops for its ReID model.

    Args:
        model: A tracker with ``reid``.
        cfg: Its config.
        size: Height and width of crops in place of those of the tracker.

    Raises:
        ValueError: nothing says the size of the crops.
    """
    settings = getattr(getattr(model, "tracker", None), "reid", None) or {}
    size = size or settings.get("img_scale")
    if not size:
        raise ValueError(
            "model.tracker.reid has no img_scale, the height and width of crops: give --shape"
        )
    norm = settings.get("img_norm_cfg") or normalize_step(cfg.data.test.pipeline)
    return Preprocessing.of_crops(norm, size)
