"""Draw the results of a test run from the batches of its data loader."""

from __future__ import annotations

import inspect
from pathlib import Path, PurePath
from types import TracebackType
from typing import Any

import mmcv
import numpy as np
from mmcv.image import tensor2imgs
from torch import nn

from .draw import present, style_for
from .video_io import VideoFileWriter


class ResultDrawer:
    """Writes drawn frames below a folder, and a video for every folder of frames.

    Args:
        out_dir: Folder that receives ``<name of the frame>``; None to only display.
        fps: Frame rate of the videos.
        show: Display every frame.
        score_thr: Lowest score that is drawn.
    """

    def __init__(self, out_dir: str | None, fps: float, show: bool, score_thr: float) -> None:
        self.out_dir = None if out_dir is None else Path(out_dir)
        self.fps = fps
        self.show = show
        self.score_thr = score_thr
        self._folder: Path | None = None
        self._video: VideoFileWriter | None = None

    def draw(self, model: nn.Module, data: dict, results: list[Any]) -> None:
        """Draw the results of one batch with ``model.show_result``.

        Args:
            model: The model without its parallel wrapper.
            data: The batch as the data loader gave it.
            results: One result per image of the batch.
        """
        metas = _first(data["img_metas"])
        images = images_of_batch(_first(data["img"]), metas)
        for image, meta, result in zip(images, metas, results, strict=True):
            drawn = self._draw_one(model, image, result)
            if self.out_dir is not None:
                self._write(drawn, meta)

    def close(self) -> None:
        """Finish the current video."""
        if self._video is not None:
            self._video.close()
        self._video = self._folder = None

    def __enter__(self) -> ResultDrawer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._video is not None and kind is not None:
            self._video.abort()
            self._video = None
        self.close()

    def _draw_one(self, model: nn.Module, image: np.ndarray, result: Any) -> np.ndarray:
        if not hasattr(model, "show_result"):
            raise ValueError(
                f"{type(model).__name__} has no show_result, its results have no picture"
            )
        style = style_for(image)
        options = {"score_thr": self.score_thr, "thickness": style.thickness}
        # mmdet's detectors choose the size of letters themselves.
        if "font_scale" in inspect.signature(model.show_result).parameters:
            options["font_scale"] = style.font_scale
        drawn = model.show_result(image, result, show=False, **options)
        present(drawn, show=self.show, wait_time=1)
        return drawn

    def _write(self, image: np.ndarray, meta: dict) -> None:
        target = self.out_dir / relative_name(meta["ori_filename"])
        target.parent.mkdir(parents=True, exist_ok=True)
        mmcv.imwrite(image, str(target))
        if not meta.get("is_video_data", "frame_id" in meta):
            return
        if target.parent != self._folder or meta.get("frame_id") == 0:
            self.close()
            self._folder = target.parent
            self._video = VideoFileWriter(f"{target.parent}.mp4", self.fps)
        self._video.write(image)


def images_of_batch(img: Any, metas: list[dict]) -> list[np.ndarray]:
    """Undo normalisation, padding and resizing.

    Args:
        img: Input of the model, ``(B, 3, H, W)``, float or uint8.
        metas: ``img_norm_cfg`` (absent: the images are not normalised), ``img_shape`` and
            ``ori_shape`` of each image.

    Returns:
        Images of the original size, ``(H, W, 3)`` uint8, BGR.
    """
    images = []
    for tensor, meta in zip(img, metas, strict=True):
        norm = meta.get("img_norm_cfg") or {"to_rgb": False}
        norm = {
            key: np.asarray(norm[key], np.float64) if key != "to_rgb" else norm[key]
            for key in ("mean", "std", "to_rgb")
            if key in norm
        }
        image = tensor2imgs(tensor[None].cpu().float(), **norm)[0]
        height, width = meta["img_shape"][:2]
        ori_height, ori_width = meta["ori_shape"][:2]
        images.append(mmcv.imresize(image[:height, :width], (ori_width, ori_height)))
    return images


def relative_name(name: str) -> PurePath:
    """Name of a frame as a path that stays below the output folder."""
    path = PurePath(name)
    return PurePath(*(part for part in path.parts if part not in (path.anchor, "..", ".")))


def _first(value: Any) -> Any:
    """First test-time view of a batch entry, taken out of its DataContainer."""
    value = value[0] if isinstance(value, list) else value
    value = getattr(value, "data", value) if not hasattr(value, "shape") else value
    return value[0] if isinstance(value, list) and isinstance(value[0], list) else value
