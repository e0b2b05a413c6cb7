"""Run trackers again: on recorded detections, or side by side in one pass of the network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from mmtrack.core.track import outs2results
from mmtrack.models.trackers.appearance import AppearanceTracker


class VideoDetections(NamedTuple):
    """What a tracker without eyes knows of a video.

    Attributes:
        counts: Detections of each frame, ``(T,)``.
        bboxes: ``(N, 5)``, x1y1x2y2 in pixels and score, frame after frame.
        labels: ``(N,)``.
        embeds: Appearance ``(N, C)``, or ``(N, 0)`` where there is none.
    """

    counts: np.ndarray
    bboxes: np.ndarray
    labels: np.ndarray
    embeds: np.ndarray


class VideoTracks(NamedTuple):
    """Tracks of a video.

    Attributes:
        counts: Boxes of each frame, ``(T,)``.
        bboxes: ``(N, 5)``, x1y1x2y2 in pixels and score, frame after frame.
        labels: ``(N,)``.
        ids: ``(N,)``.
    """

    counts: np.ndarray
    bboxes: np.ndarray
    labels: np.ndarray
    ids: np.ndarray

    def as_results(self, num_classes: int) -> list[list[np.ndarray]]:
        """Entries of ``track_bboxes`` of each frame, as models return them."""
        ends = np.cumsum(self.counts)
        parts = (np.split(column, ends[:-1]) for column in self[1:])
        return [
            outs2results(bboxes=b, labels=c, ids=i, num_classes=num_classes)["bbox_results"]
            for b, c, i in zip(*parts, strict=True)
        ]


def join_frames(frames: Sequence[tuple[torch.Tensor, ...]]) -> tuple[np.ndarray, ...]:
    """Length of each frame's tensors, and the tensors one below the other, as arrays."""
    counts = np.array([len(frame[0]) for frame in frames])
    return counts, *(torch.cat(column).cpu().numpy() for column in zip(*frames, strict=True))


# ------------------------------------------------------------------ on recorded detections
def replay(
    tracker: nn.Module,
    motion: Any,
    video: VideoDetections,
    on_frame: Callable[[], None] | None = None,
) -> VideoTracks:
    """Track the detections of a video.

    Args:
        tracker: A tracker that does not read frames.
        motion: Its motion model.
        video: Detections of all frames; with embeddings where the tracker compares appearance.
        on_frame: Called after every frame (progress).
    """
    model = SimpleNamespace(
        motion=motion, with_motion=True, reid=None, with_reid=video.embeds.shape[1] > 0
    )
    known = _Lookup()
    if model.with_reid and isinstance(tracker, AppearanceTracker):
        tracker.embed = known
    bboxes, labels = torch.from_numpy(video.bboxes), torch.from_numpy(video.labels)
    ends = np.cumsum(video.counts)
    frames = []
    for frame_id, (start, end) in enumerate(zip(ends - video.counts, ends, strict=True)):
        now = slice(int(start), int(end))
        known.look_at(video.bboxes[now], video.embeds[now])
        found = tracker.track(
            img=None,
            img_metas=[{}],
            model=model,
            bboxes=bboxes[now],
            labels=labels[now],
            frame_id=frame_id,
        )
        frames.append(found)
        if on_frame is not None:
            on_frame()
    if not frames:
        empty = np.zeros(0, np.int64)
        return VideoTracks(empty, np.zeros((0, 5)), empty, empty)
    return VideoTracks(*join_frames(frames))


class _Lookup:
    """Stands in for the ReID model: finds the embedding of a box among the recorded ones."""

    def look_at(self, bboxes: np.ndarray, embeds: np.ndarray) -> None:
        """Know the boxes ``(n, 5)`` of a frame."""
        rows = bboxes[:, :4].astype(np.float64)
        self._embeds = dict(zip(map(bytes, rows), embeds, strict=True))

    def __call__(self, bboxes: np.ndarray, **inputs: Any) -> np.ndarray:
        return np.stack([self._embeds[bytes(row)] for row in bboxes])


class DetectionRecorder(nn.Module):
    """Takes the place of a tracker and keeps what it would see.

    Args:
        lowest_score: Detections must score above it to be kept.
        describer: A tracker that makes embeddings, or None.
    """

    def __init__(self, lowest_score: float, describer: AppearanceTracker | None):
        super().__init__()
        self.lowest_score = lowest_score
        self.describer = describer
        self.frames: list[tuple[torch.Tensor, ...]] = []

    def reset(self) -> None:
        """Nothing to forget: :meth:`take` empties the memory."""

    def track(
        self,
        img: torch.Tensor,
        img_metas: list[dict],
        model: nn.Module,
        bboxes: torch.Tensor,
        labels: torch.Tensor,
        rescale: bool = False,
        **kwargs: Any,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Record; nothing is tracked."""
        keep = bboxes[:, 4] > self.lowest_score
        bboxes, labels = bboxes[keep], labels[keep]
        embeds = bboxes.new_zeros(len(bboxes), 0)
        if self.describer is not None and len(bboxes):
            rows = bboxes[:, :4].double().cpu().numpy()
            inputs = {"img": img, "img_metas": img_metas, "model": model, "rescale": rescale}
            embeds = torch.from_numpy(self.describer.embed(rows, **inputs))
        self.frames.append((bboxes, labels, embeds))
        return bboxes[:0], labels[:0], labels[:0]

    def take(self) -> dict[str, np.ndarray]:
        """Detections recorded since the last call."""
        frames, self.frames = self.frames, []
        width = max(frame[2].shape[1] for frame in frames)
        frames = [(b, c, e if len(b) else e.new_zeros(0, width)) for b, c, e in frames]
        return VideoDetections(*join_frames(frames))._asdict()


# ------------------------------------------------------------------ side by side
class TrackerBank(nn.Module):
    """Takes the place of a tracker and runs many: the network sees a frame once for all.

    What the trackers ask about the same boxes is computed once as well.

    Args:
        trackers: Trackers with different settings.
        model: The model around them; its camera motion is shared.
    """

    def __init__(self, trackers: Sequence[nn.Module], model: nn.Module):
        super().__init__()
        self.trackers = nn.ModuleList(trackers)
        self.frames: list[list[tuple[torch.Tensor, ...]]] = []
        self._memos: dict[str, _Memo] = {}
        for tracker in trackers:
            if isinstance(tracker, AppearanceTracker) and tracker.with_reid:
                crops = repr([tracker.reid.get(k) for k in ("img_scale", "img_norm_cfg")])
                memo = self._memos.setdefault(crops, _Memo())
                tracker.embed = partial(memo, tracker.embed)
        if getattr(model, "cmc", None) is not None:
            model.cmc = _SharedCamera(model.cmc)

    def reset(self) -> None:
        """Start a video."""
        for tracker in self.trackers:
            tracker.reset()

    def track(self, **inputs: Any) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Tracks of the first tracker; those of all are kept."""
        for memo in self._memos.values():
            memo.clear()
        found = [tracker.track(**inputs) for tracker in self.trackers]
        self.frames.append(found)
        return found[0]

    def take(self) -> list[VideoTracks]:
        """Tracks of each tracker since the last call."""
        frames, self.frames = self.frames, []
        return [VideoTracks(*join_frames(list(each))) for each in zip(*frames, strict=True)]


class _Memo:
    """Embeddings of the boxes of a frame, each computed once."""

    def __init__(self) -> None:
        self._embeds: dict[bytes, np.ndarray] = {}

    def clear(self) -> None:
        self._embeds = {}

    def __call__(self, embed: Callable, bboxes: np.ndarray, **inputs: Any) -> np.ndarray:
        keys = [bytes(row) for row in bboxes]
        new = [row for row, key in enumerate(keys) if key not in self._embeds]
        if new:
            found = embed(bboxes[new], **inputs)
            self._embeds.update(zip((keys[row] for row in new), found, strict=True))
        return np.stack([self._embeds[key] for key in keys])


class _SharedCamera:
    """Camera motion compensation that registers each pair of frames once."""

    def __init__(self, cmc: Any):
        self._cmc = cmc
        self._img = self._grey = self._pair = self._matrix = None

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._cmc, name)

    def grey_image(self, img: torch.Tensor) -> np.ndarray:
        if img is not self._img:
            self._img, self._grey = img, self._cmc.grey_image(img)
        return self._grey

    def register(self, grey: np.ndarray, ref_grey: np.ndarray) -> np.ndarray:
        if self._pair is None or grey is not self._pair[0] or ref_grey is not self._pair[1]:
            self._pair = grey, ref_grey
            self._matrix = self._cmc.register(grey, ref_grey)
        return self._matrix
