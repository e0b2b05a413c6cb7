"""Steps that draw the frames of a training sample from two videos of one object each.

A video is a dict of ``bboxes`` (N, 4) x1y1x2y2, ``bboxes_isvalid`` (N,), ``visible`` (N,),
``filename`` (N names), ``frame_ids`` (N,), ``video_id``, ``img_prefix`` and lists of fields.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from mmdet.datasets.builder import PIPELINES

_VIDEO_KEYS = ("img_prefix", "bbox_fields", "mask_fields", "seg_fields")
_MAX_FRAME_RANGE = [200]


def frame_sample(video: dict, frame: int) -> dict:
    """What the steps that load a frame need: ``img_info``, ``ann_info``, prefix and fields."""
    sample = {
        "img_info": {
            "filename": video["filename"][frame],
            "frame_id": int(video["frame_ids"][frame]),
            "video_id": video["video_id"],
        },
        "ann_info": {"bboxes": video["bboxes"][frame][None].copy()},
    }
    for key in _VIDEO_KEYS:
        if key in video:
            value = video[key]
            sample[key] = list(value) if isinstance(value, list) else value
    return sample


def _check_probability(name: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise ValueError(f"{name} is {value}, expected a probability within [0, 1]")


def _is_image(video: dict) -> bool:
    """Whether a video is a single image, which is a template and a search image at once."""
    return len(video["bboxes_isvalid"]) == 1


@PIPELINES.register_module()
class PairSampling:
    """Draw a template and a search frame.

    A positive pair shows one object in two frames of a video; a negative pair shows objects of two
    videos. From one and the same video only positive pairs can be drawn.

    Args:
        frame_range: Where the search frame of a positive pair lies, counted from the template:
            ``[-2, 3]`` takes frames from -2 to 2; 5 stands for ``[-5, 5]``.
        pos_prob: Probability of a positive pair.
        filter_template_img: The template is no search frame (unless the video is an image).

    Reference: Li et al., "SiamRPN++: Evolution of Siamese Visual Tracking with Very Deep Networks",
    CVPR 2019; negative pairs: Zhu et al., "Distractor-aware Siamese Networks for Visual Object
    Tracking", ECCV 2018, section 3.2.
    """

    def __init__(
        self,
        frame_range: int | Sequence[int] = 5,
        pos_prob: float = 0.8,
        filter_template_img: bool = False,
    ):
        both = [-frame_range, frame_range] if isinstance(frame_range, int) else list(frame_range)
        if len(both) != 2 or both[0] > 0 or both[1] < 0:
            raise ValueError(f"frame_range is {frame_range!r}, expected a count or [<= 0, >= 0]")
        _check_probability("pos_prob", pos_prob)
        self.frame_range = both
        self.pos_prob = pos_prob
        self.filter_template_img = filter_template_img

    def prepare_data(
        self, video_info: dict, sampled_inds: Sequence[int], is_positive_pairs: bool = False
    ) -> list[dict]:
        """Samples of some frames of a video, each with ``is_positive_pairs``."""
        samples = [frame_sample(video_info, int(frame)) for frame in sampled_inds]
        for sample in samples:
            sample["is_positive_pairs"] = is_positive_pairs
        return samples

    def _search_frames(self, valid: np.ndarray, template: int) -> np.ndarray:
        """Valid frames that may be the search frame of a template."""
        if len(valid) == 1:
            return np.array([template])
        first = max(template + self.frame_range[0], 0)
        # A range to the template alone would be empty: the upper end does not belong to it.
        last = max(template + self.frame_range[1], template + 1)
        frames = first + np.flatnonzero(valid[first:last])
        return frames[frames != template] if self.filter_template_img else frames

    def __call__(self, results: list[dict]) -> list[dict] | None:
        """Draw ``[template, search]``, with ``is_positive_pairs`` in both.

        Args:
            results: Two videos, see the head of this module.

        Returns:
            The samples, or None if there are no valid frames.
        """
        if len(results) != 2:
            raise ValueError(f"PairSampling needs two videos, got {len(results)}")
        video, other = results
        positive = np.random.random() < self.pos_prob or video["video_id"] == other["video_id"]
        frames = np.flatnonzero(video["bboxes_isvalid"])
        if len(frames) == 0:
            return None
        template = int(np.random.choice(frames))
        if positive:
            searches = self._search_frames(video["bboxes_isvalid"], template)
        else:
            searches = np.flatnonzero(other["bboxes_isvalid"])
        if len(searches) == 0:
            return None
        search = [int(np.random.choice(searches))]
        return [
            *self.prepare_data(video, [template], positive),
            *self.prepare_data(video if positive else other, search, positive),
        ]

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(frame_range={self.frame_range}, pos_prob={self.pos_prob}, "
            f"filter_template_img={self.filter_template_img})"
        )


@PIPELINES.register_module()
class TridentSampling:
    """Draw several templates and search frames of a video.

    The first template and the search frames are drawn anywhere in the video. The other templates
    stand for those that a tracker takes on its way from the first template to the search frame:
    they are drawn between the two, at most ``max_frame_range`` before the search frame.

    To train the score of a tracker, the search frame of some samples is taken from another video,
    and ``labels`` tell which.

    Args:
        num_search_frames: Count of search frames.
        num_template_frames: Count of templates, the first one included.
        max_frame_range: Largest distance between search frame and each of the other templates.
        cls_pos_prob: Probability that a sample for the score is a positive one.
        train_cls_head: Draw samples for the score.
        min_num_frames: Videos with fewer frames are rejected, unless they are images.

    Reference: Yan et al., "Learning Spatio-Temporal Transformer for Visual Tracking", ICCV 2021,
    sections 3.2 and 4.1.
    """

    def __init__(
        self,
        num_search_frames: int = 1,
        num_template_frames: int = 2,
        max_frame_range: Sequence[int] = _MAX_FRAME_RANGE,
        cls_pos_prob: float = 0.5,
        train_cls_head: bool = False,
        min_num_frames: int = 20,
    ):
        if num_search_frames < 1 or len(max_frame_range) != num_template_frames - 1:
            raise ValueError(
                f"{num_search_frames} search frames and {num_template_frames} templates with "
                f"max_frame_range {max_frame_range}: there must be a search frame, and one range "
                "for each template but the first"
            )
        _check_probability("cls_pos_prob", cls_pos_prob)
        self.num_search_frames = num_search_frames
        self.num_template_frames = num_template_frames
        self.max_frame_range = list(max_frame_range)
        self.cls_pos_prob = cls_pos_prob
        self.train_cls_head = train_cls_head
        self.min_num_frames = min_num_frames

    def random_sample_inds(
        self,
        video_visibility: np.ndarray,
        num_samples: int = 1,
        frame_range: Sequence[int] | None = None,
        allow_invisible: bool = False,
        force_invisible: bool = False,
    ) -> list[int]:
        """Draw frames of a video.

        Args:
            video_visibility: Visibility of each frame ``(N,)`` bool.
            num_samples: How many frames; drawn with replacement.
            frame_range: First frame and the one after the last; None for all.
            allow_invisible: Draw from all frames instead of the visible ones.
            force_invisible: Draw from the invisible frames.

        Returns:
            The frames; an empty list if there is none to draw from.
        """
        first, last = (0, len(video_visibility)) if frame_range is None else frame_range
        first, last = max(first, 0), min(last, len(video_visibility))
        visible = np.asarray(video_visibility[first:last], bool)
        if force_invisible:
            wanted = ~visible
        else:
            wanted = np.ones_like(visible) if allow_invisible else visible
        frames = first + np.flatnonzero(wanted)
        if len(frames) == 0:
            return []
        return np.random.choice(frames, num_samples).tolist()

    def sampling_trident(self, video_visibility: np.ndarray) -> list[int]:
        """Draw the frames of a sample from one video.

        Args:
            video_visibility: Visibility of each frame ``(N,)`` bool.

        Returns:
            The first template, the other templates, the search frames; empty if no frame is
            visible.
        """
        drawn = self.random_sample_inds(video_visibility, 1 + self.num_search_frames)
        if not drawn:
            return []
        template, searches = drawn[0], drawn[1:]
        extra = []
        for most in self.max_frame_range:
            if template <= searches[0]:
                between = [max(template, searches[0] - most), searches[0] + 1]
            else:
                between = [searches[0], min(template, searches[0] + most) + 1]
            extra += self.random_sample_inds(video_visibility, frame_range=between)
        return [template, *extra, *searches]

    def prepare_data(
        self, video_info: dict, sampled_inds: Sequence[int], with_label: bool = False
    ) -> list[dict]:
        """Samples of some frames of a video, on request with ``labels`` [1]."""
        samples = [frame_sample(video_info, int(frame)) for frame in sampled_inds]
        if with_label:
            for sample in samples:
                sample["ann_info"]["labels"] = np.ones(1, np.float32)
        return samples

    def prepare_cls_data(
        self, video_info: dict, video_info_another: dict, sampled_inds: Sequence[int]
    ) -> list[dict]:
        """Samples to train the score.

        Args:
            video_info: The video of the templates.
            video_info_another: Where negative search frames are taken from.
            sampled_inds: Frames of templates and search frames.

        Returns:
            The samples; ``labels`` are [1], and [0] for search frames of the other video. Empty if
            that video has no visible frame.
        """
        if np.random.random() < self.cls_pos_prob:
            return self.prepare_data(video_info, sampled_inds, with_label=True)
        templates = sampled_inds[: self.num_template_frames]
        frames = self.random_sample_inds(video_info_another["visible"], self.num_search_frames)
        if not frames:
            return []
        searches = self.prepare_data(video_info_another, frames, with_label=True)
        for sample in searches:
            sample["ann_info"]["labels"][:] = 0
        return [*self.prepare_data(video_info, templates, with_label=True), *searches]

    def __call__(self, results: list[dict]) -> list[dict] | None:
        """Draw ``[template, ..., search, ...]``.

        Args:
            results: Two videos, see the head of this module.

        Returns:
            The samples, or None if the video is too short or no frame is visible.
        """
        if len(results) != 2:
            raise ValueError(f"TridentSampling needs two videos, got {len(results)}")
        video, other = results
        visible = video["visible"]
        if len(visible) < self.min_num_frames and not _is_image(video):
            return None
        frames = self.sampling_trident(visible)
        if not frames:
            return None
        if not self.train_cls_head:
            return self.prepare_data(video, frames)
        if video["video_id"] == other["video_id"]:
            raise ValueError("to train the score, TridentSampling needs two different videos")
        return self.prepare_cls_data(video, other, frames) or None

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(num_search_frames={self.num_search_frames}, "
            f"num_template_frames={self.num_template_frames}, "
            f"max_frame_range={self.max_frame_range}, cls_pos_prob={self.cls_pos_prob}, "
            f"train_cls_head={self.train_cls_head}, min_num_frames={self.min_num_frames})"
        )
