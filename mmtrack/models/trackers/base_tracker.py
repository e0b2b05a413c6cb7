"""The memory of tracks that custom trackers build on."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from addict import Dict
from mmcv.runner import BaseModule

from mmtrack.core.track import clip_to_pixels, crop_resize


class BaseTracker(BaseModule, metaclass=ABCMeta):
    """Base class of trackers: remembers what is known about each track.

    ``tracks`` maps the id of a track to a ``Dict`` with one list per remembered item, for example
    ``tracks[3].bboxes``: one entry ``(1, 4)`` per frame in which the track was seen, the newest
    last. Items with a momentum hold one running mean instead of a list. The lists are as long as a
    lost track is kept, so memory does not grow with the video.

    Args:
        momentums: Momentum of each item that is kept as a running mean:
            ``mean = (1 - momentum) * mean + momentum * value``.
        num_frames_retain: A track is forgotten when it has not been seen for so many frames.
        init_cfg: Initialisation of the weights, for trackers that have some.

    Example:
        >>> class MyTracker(BaseTracker):
        ...     def track(self, bboxes, frame_id):
        ...         ids = torch.arange(len(bboxes))
        ...         self.update(ids=ids, bboxes=bboxes, frame_ids=frame_id)
        ...         return ids
        >>> tracker = MyTracker(num_frames_retain=5)
        >>> ids = tracker.track(torch.ones(2, 4), frame_id=0)
        >>> tracker.get("bboxes", ids=[1]).shape
        torch.Size([1, 4])
    """

    # Whether track() looks at more of a frame than detections and their embeddings. Trackers that
    # do not can run again on what was recorded, see mmtrack.apis.replay.
    reads_frames = True

    def __init__(
        self,
        momentums: Mapping[str, float] | None = None,
        num_frames_retain: int = 10,
        init_cfg: dict | None = None,
    ):
        super().__init__(init_cfg)
        if momentums is not None and not isinstance(momentums, Mapping):
            raise TypeError(f"momentums must map items to numbers, found {momentums!r}")
        if num_frames_retain < 1:
            raise ValueError(f"num_frames_retain must be at least 1, found {num_frames_retain}")
        self.momentums = momentums
        self.num_frames_retain = num_frames_retain
        self.reid = None
        self.num_tracks = 0
        self.memo_items: list[str] = []
        self._memo: dict[int, Dict] = {}

    def reset(self) -> None:
        """Forget all tracks; ids start at 0 again."""
        self.num_tracks = 0
        self.memo_items = []
        self._memo = {}

    @property
    def tracks(self) -> dict[int, Dict]:
        """What is remembered of each track, by id."""
        return self._memo

    @tracks.setter
    def tracks(self, tracks: dict[int, Dict]) -> None:
        self._memo = tracks

    @property
    def memo(self) -> dict[int, Dict]:
        """All that is remembered: the tracks."""
        return self.tracks

    @property
    def ids(self) -> list[int]:
        """Ids of all tracks."""
        return list(self.tracks)

    @property
    def empty(self) -> bool:
        """Whether there are no tracks."""
        return not self.tracks

    @property
    def with_reid(self) -> bool:
        """Whether the tracker compares appearance; ``self.reid`` holds the settings."""
        return self.reid is not None

    @property
    def history_length(self) -> int:
        """Number of values kept of each item of a track."""
        samples = (self.reid or {}).get("num_samples") or 1
        return max(self.num_frames_retain, samples)

    @abstractmethod
    def track(self, *args: Any, **kwargs: Any) -> Any:
        """Continue the tracks with the detections of a frame."""

    def update(self, **kwargs: Any) -> None:
        """Remember the values of a frame, start the tracks that are new and drop the outdated ones.

        Args:
            **kwargs: ``ids`` ``(n,)`` and any items, each with one row per id; ``frame_ids`` is
                needed and may be one number.

        Raises:
            ValueError: ``ids`` or ``frame_ids`` are missing, or the lengths differ.
        """
        if "ids" not in kwargs or "frame_ids" not in kwargs:
            raise ValueError(f"update() needs ids and frame_ids, found {sorted(kwargs)}")
        ids = torch.as_tensor(kwargs.pop("ids")).tolist()
        frame_ids = torch.as_tensor(kwargs["frame_ids"])
        if not frame_ids.dim():
            frame_ids = kwargs["frame_ids"] = frame_ids.expand(len(ids))
        for name, values in kwargs.items():
            if len(values) != len(ids):
                raise ValueError(f"update() got {len(ids)} ids and {len(values)} {name}")
        self.memo_items = list(kwargs)
        for ident, obj in zip(ids, zip(*kwargs.values(), strict=True), strict=True):
            if ident in self.tracks:
                self.update_track(ident, obj)
            else:
                self.init_track(ident, obj)
        if len(frame_ids):
            self.pop_invalid_tracks(int(frame_ids[0]))

    def init_track(self, id: int, obj: Sequence) -> None:
        """Start a track.

        Args:
            id: Its id.
            obj: Value of each of ``self.memo_items``.
        """
        track = self.tracks[id] = Dict()
        for name, value in zip(self.memo_items, obj, strict=True):
            track[name] = value[None] if self._momentum(name) is not None else [value[None]]

    def update_track(self, id: int, obj: Sequence) -> None:
        """Remember more of a track.

        Args:
            id: Its id.
            obj: Value of each of ``self.memo_items``.
        """
        track = self.tracks[id]
        for name, value in zip(self.memo_items, obj, strict=True):
            momentum = self._momentum(name)
            if momentum is not None:
                track[name] = (1 - momentum) * track[name] + momentum * value[None]
                continue
            track[name].append(value[None])
            del track[name][: -self.history_length]

    def pop_invalid_tracks(self, frame_id: int) -> None:
        """Forget the tracks that have not been seen for ``num_frames_retain`` frames."""
        outdated = [
            ident
            for ident, track in self.tracks.items()
            if frame_id - int(track.frame_ids[-1]) >= self.num_frames_retain
        ]
        for ident in outdated:
            self.tracks.pop(ident)

    def get(
        self,
        item: str,
        ids: Sequence[int] | None = None,
        num_samples: int | None = None,
        behavior: str | None = None,
    ) -> torch.Tensor:
        """Collect an item of several tracks.

        Args:
            item: Name of the item.
            ids: Tracks to look at, all by default.
            num_samples: Number of last values of each track; the last one by default.
            behavior: ``'mean'`` takes the mean of the values of a track.

        Returns:
            The values of all tracks, one below the other.

        Raises:
            ValueError: there are no tracks to look at, or the behaviour is unknown.
        """
        if behavior not in (None, "mean"):
            raise ValueError(f"behavior must be None or 'mean', found {behavior!r}")
        ids = self.ids if ids is None else ids
        if not len(ids):
            raise ValueError(f"get({item!r}) was called without any track")
        outs = []
        for ident in ids:
            values = self.tracks[int(ident)][item]
            if self._momentum(item) is None:
                values = torch.cat(list(values[-(num_samples or 1) :]))
            outs.append(values.mean(dim=0, keepdim=True) if behavior == "mean" else values)
        return torch.cat(outs)

    def crop_imgs(
        self,
        img: torch.Tensor,
        img_metas: list[dict],
        bboxes: torch.Tensor,
        rescale: bool = False,
    ) -> torch.Tensor:
        """Cut boxes out of a frame, as input of a ReID model.

        Args:
            img: ``(1, C, H, W)``.
            img_metas: Meta data of the frame.
            bboxes: ``(N, 4)`` or ``(N, 5)``, x1y1x2y2 in pixels.
            rescale: The boxes lie in the original image and are scaled to ``img``.

        Returns:
            ``(N, C, *self.reid["img_scale"])``.
        """
        height, width = img_metas[0]["img_shape"][:2]
        places = bboxes[:, :4]
        if rescale:
            places = places * places.new_tensor(img_metas[0]["scale_factor"])
        regions = clip_to_pixels(places.to(img.device), height, width)
        return crop_resize(img[:, :, :height, :width], regions, tuple(self.reid["img_scale"]))

    def state_dict(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Weights of the tracker and, when called on the tracker itself, its tracks.

        Saved with ``torch.save`` and loaded in another process, it continues a video at any frame
        with the same ids. The state dict of a model that contains the tracker holds no tracks:
        checkpoints are about weights.
        """
        within_parent = bool(args or kwargs.get("prefix") or kwargs.get("destination") is not None)
        state = super().state_dict(*args, **kwargs)
        if not within_parent:
            state.update(self._tracking_state())
        return state

    def load_state_dict(self, state_dict: Mapping[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Continue from what :meth:`state_dict` returned.

        Raises:
            KeyError: a part of the tracks is missing.
        """
        names = self._tracking_state()
        missing = [name for name in names if name not in state_dict]
        if missing:
            raise KeyError(f"the state of {type(self).__name__} lacks {missing}")
        self._set_tracking_state({name: state_dict[name] for name in names})
        weights = {name: value for name, value in state_dict.items() if name not in names}
        return super().load_state_dict(OrderedDict(weights), *args, **kwargs)

    def _tracking_state(self) -> dict[str, Any]:
        tracks = {ident: track.to_dict() for ident, track in self._memo.items()}
        return {
            "num_tracks": self.num_tracks,
            "memo_items": list(self.memo_items),
            "tracks": tracks,
        }

    def _set_tracking_state(self, state: Mapping[str, Any]) -> None:
        self.num_tracks = int(state["num_tracks"])
        self.memo_items = list(state["memo_items"])
        self._memo = {ident: Dict(track) for ident, track in state["tracks"].items()}

    def _momentum(self, item: str) -> float | None:
        return None if self.momentums is None else self.momentums.get(item)
