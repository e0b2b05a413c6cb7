"""Transforms of mmdet for a list of frames: resize, flip, pad, normalise."""

from __future__ import annotations

from mmdet.datasets.builder import PIPELINES
from mmdet.datasets.pipelines import Normalize, Pad, RandomFlip, Resize

from .normalize import normalize_image


@PIPELINES.register_module()
class SeqResize(Resize):
    """Resize the frames of a list.

    Args:
        share_params: Draw the scale once and use it for all frames.
        *args: Further arguments are those of mmdet's Resize.
        **kwargs: As `args`.
    """

    def __init__(self, share_params: bool = True, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.share_params = share_params

    def _resize_to(self, frame: dict, scale: tuple[int, int]) -> dict:
        """Resize to a given scale, also a frame that was resized before."""
        frame["scale"] = scale
        self._resize_img(frame)
        self._resize_bboxes(frame)
        self._resize_masks(frame)
        self._resize_seg(frame)
        return frame

    def __call__(self, results: list[dict]) -> list[dict]:
        """Resize images, boxes, masks and maps of all frames."""
        if not self.share_params:
            return [super(SeqResize, self).__call__(frame) for frame in results]
        outs = []
        for frame in results:
            if outs:
                outs.append(self._resize_to(frame, outs[0]["scale"]))
            else:
                outs.append(super().__call__(frame))
        return outs


@PIPELINES.register_module()
class SeqRandomFlip(RandomFlip):
    """Flip the frames of a list at random.

    Args:
        share_params: Draw once whether and how to flip, for all frames.
        *args: Further arguments are those of mmdet's RandomFlip.
        **kwargs: As `args`.
    """

    def __init__(self, share_params: bool, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.share_params = share_params

    def __call__(self, results: list[dict]) -> list[dict]:
        """Flip images, boxes, masks and maps; adds ``flip`` and ``flip_direction``."""
        outs = []
        for frame in results:
            if self.share_params and outs:
                frame["flip"] = outs[0]["flip"]
                frame["flip_direction"] = outs[0]["flip_direction"]
            outs.append(super().__call__(frame))
        return outs


@PIPELINES.register_module()
class SeqPad(Pad):
    """Pad the frames of a list; arguments are those of mmdet's Pad."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)

    def __call__(self, results: list[dict]) -> list[dict]:
        """Pad images, masks and maps; adds ``pad_shape``."""
        return [super(SeqPad, self).__call__(frame) for frame in results]


@PIPELINES.register_module()
class SeqNormalize(Normalize):
    """Normalise the frames of a list; arguments are those of mmdet's Normalize."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)

    def __call__(self, results: list[dict]) -> list[dict]:
        """Turn ``img`` into normalised float32; adds ``img_norm_cfg``."""
        for frame in results:
            for key in frame.get("img_fields", ["img"]):
                frame[key] = normalize_image(frame[key], self.mean, self.std, self.to_rgb)
            frame["img_norm_cfg"] = {"mean": self.mean, "std": self.std, "to_rgb": self.to_rgb}
        return results
