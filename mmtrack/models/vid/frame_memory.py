"""The frames of a video that are remembered in a test, with their features."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

Tensors = tuple[torch.Tensor, ...]


class FrameMemory:
    """Some frames of one size, in buffers that are allocated once per video.

    A new frame takes the place of another one, so memory does not grow with the video. What is
    kept of a frame is up to the model, for example its image and its feature maps. Where a frame
    comes again while it is remembered, what is known of it is copied, not computed.

    Args:
        describe: Computes what is kept of frames ``(N, C, H, W)``: tensors ``(N, ...)``.

    Attributes:
        tensors: Buffers, each ``(capacity, ...)``, in no order of time.
        metas: Meta data of the frames in the same order.
        changed: Places that have a new frame since the caller last cleared this set.
    """

    def __init__(self, describe: Callable[[torch.Tensor], Sequence[torch.Tensor]]) -> None:
        self._describe = describe
        self.clear()

    def clear(self) -> None:
        """Forget the video."""
        self.tensors: Tensors = ()
        self.metas: list[dict] = []
        self.changed: set[int] = set()
        self._size: torch.Size | None = None

    def __len__(self) -> int:
        return len(self.metas)

    def frame(self, place: int) -> Tensors:
        """What is kept of a frame, each ``(1, ...)``: views that later frames overwrite."""
        return tuple(buffer[place : place + 1] for buffer in self.tensors)

    def start(self, frames: torch.Tensor, metas: Sequence[dict]) -> None:
        """Begin a video; the number of these frames is the capacity.

        Args:
            frames: ``(N, C, H, W)``.
            metas: Meta data of each.
        """
        self.clear()
        self._size = frames.shape[-2:]
        first, inverse = distinct_frames(metas)
        values = self._describe(frames[first] if len(first) < len(frames) else frames)
        self.tensors = tuple(value.detach()[inverse] for value in values)
        self.metas = list(metas)
        self.changed = set(range(len(metas)))

    def replace(self, place: int, frame: torch.Tensor, meta: dict) -> None:
        """Put a frame into a place.

        Args:
            place: Where to.
            frame: ``(1, C, H, W)``.
            meta: Its meta data.

        Raises:
            ValueError: no video has begun, or the frame has another size than those before.
        """
        self.check(frame, meta)
        known = self._find(meta)
        if known != place:
            values = self._describe(frame) if known is None else self.frame(known)
            for buffer, value in zip(self.tensors, values, strict=True):
                buffer[place] = value[0].detach()
            self.changed.add(place)
        self.metas[place] = meta

    def check(self, frame: torch.Tensor, meta: dict) -> None:
        """Whether a frame may follow those of the video.

        Args:
            frame: ``(N, C, H, W)``.
            meta: Its meta data, for messages.

        Raises:
            ValueError: no video has begun, or the size differs from that of the frames before.
        """
        name = f"frame {meta.get('frame_id')} ({meta.get('filename')})"
        if self._size is None:
            raise ValueError(
                f"{name} comes before frame 0 of its video: start every video with frame_id 0"
            )
        if frame.shape[-2:] != self._size:
            raise ValueError(
                f"{name} has {tuple(frame.shape[-2:])} rows and columns, but the video began with "
                f"{tuple(self._size)}: features of earlier frames cannot be used for it. Resize "
                "all frames of a video to one size, or start a new video with frame_id 0"
            )

    def _find(self, meta: dict) -> int | None:
        """Place of a frame, None if it is not remembered."""
        identity = frame_identity(meta)
        places = (i for i, known in enumerate(self.metas) if frame_identity(known) == identity)
        return None if identity is None else next(places, None)


class ReferenceWindow(FrameMemory):
    """The key frame and its references, for models that aggregate frames.

    Which frames are references is decided by the dataset (``ref_img_sampler``):

    - With a fixed stride, meta data of the key frame hold ``num_left_ref_imgs``. The window slides:
      references come one by one before they are needed, and the key frame is the one at that place
      of the window. Key frames between two strides take this place.
    - With an adaptive stride all references come with frame 0 and stay, and the key frame has a
      place of its own beside them.

    Attributes:
        key: Place of the key frame.
    """

    def clear(self) -> None:
        """Forget the video."""
        super().clear()
        self.key = 0
        self._oldest = 0
        self._own_place = False

    def update(
        self,
        img: torch.Tensor,
        img_metas: list[dict],
        ref_img: torch.Tensor | None,
        ref_img_metas: list[list[dict]] | None,
    ) -> int:
        """Move on to the next frame of the video.

        Args:
            img: The key frame, ``(1, C, H, W)``.
            img_metas: Its meta data.
            ref_img: References that it brings, ``(1, N, C, H, W)``.
            ref_img_metas: Their meta data, ``[[dict, ...]]``.

        Returns:
            The place of the key frame.

        Raises:
            ValueError: frame 0 brings no references, the window is too short, or the sizes of the
                frames differ.
        """
        meta = img_metas[0]
        ref_img, ref_metas = (None, None) if ref_img is None else (ref_img[0], ref_img_metas[0])
        left = meta.get("num_left_ref_imgs")
        adaptive = left is None or left < 0
        if frame_number(meta) == 0:
            self._begin(img, meta, ref_img, ref_metas, adaptive=adaptive)
        elif ref_img is not None:
            self.add(ref_img, ref_metas)
        capacity = len(self) - self._own_place
        if not adaptive and left >= capacity > 0:
            raise ValueError(
                f"num_left_ref_imgs is {left}, but frame 0 brought {capacity} references: it has "
                f"to bring at least {left + 1}"
            )
        place = capacity if adaptive else (self._oldest + left) % max(capacity, 1)
        self.replace(place, img, meta)
        self.key = place
        return place

    def add(self, frames: torch.Tensor, metas: Sequence[dict]) -> None:
        """Put references into the places of the oldest ones.

        Args:
            frames: ``(N, C, H, W)``.
            metas: Meta data of each.
        """
        for frame, meta in zip(frames.split(1), metas, strict=True):
            self.replace(self._oldest, frame, meta)
            self._oldest = (self._oldest + 1) % (len(self) - self._own_place)

    def _begin(
        self,
        img: torch.Tensor,
        meta: dict,
        ref_img: torch.Tensor | None,
        ref_metas: Sequence[dict] | None,
        *,
        adaptive: bool,
    ) -> None:
        if ref_img is None or not len(ref_img):
            raise ValueError(
                f"frame 0 of a video ({meta.get('filename')}) brings no reference frames: set "
                "ref_img_sampler of the test dataset to a test method, and use a pipeline that "
                "ends with ConcatVideoReferences, MultiImagesToTensor and ToList"
            )
        if ref_img.shape[-2:] != img.shape[-2:]:
            raise ValueError(
                f"references have {tuple(ref_img.shape[-2:])} rows and columns, but the frame "
                f"{meta.get('filename')} has {tuple(img.shape[-2:])}: resize all frames of a video "
                "to one size"
            )
        if adaptive:
            self.start(torch.cat((ref_img, img)), [*ref_metas, meta])
        else:
            self.start(ref_img, ref_metas)
        self._own_place = adaptive


def frame_identity(meta: dict) -> tuple | None:
    """What tells a frame of a video from the others, None if the meta data do not say."""
    return None if meta.get("frame_id") is None else (meta.get("filename"), meta["frame_id"])


def distinct_frames(metas: Sequence[dict]) -> tuple[list[int], list[int]]:
    """Frames without repetitions.

    Args:
        metas: Meta data of ``N`` frames.

    Returns:
        Positions of the ``D`` frames that come for the first time, and for each of the ``N`` frames
        which of the ``D`` it is.
    """
    numbers: dict = {}
    first, inverse = [], []
    for i, meta in enumerate(metas):
        identity = frame_identity(meta)
        number = numbers.setdefault(i if identity is None else identity, len(first))
        if number == len(first):
            first.append(i)
        inverse.append(number)
    return first, inverse


def frame_number(meta: dict) -> int:
    """Number of a frame in its video.

    Raises:
        ValueError: the meta data have no such number, or a negative one.
    """
    frame_id = meta.get("frame_id")
    if frame_id is None or frame_id < 0:
        raise ValueError(
            f"img_metas of {meta.get('filename')} have frame_id={frame_id}: a video detector wants "
            "the number of the frame in its video, counted from 0. Test on a dataset of videos "
            "(load_as_video=True), and collect the frame_id with VideoCollect"
        )
    return frame_id
