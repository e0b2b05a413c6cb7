"""TrackingNet: 30,000 videos in chunks."""

from __future__ import annotations

from collections.abc import Sequence

from mmdet.datasets.builder import DATASETS

from .sot_submission import write_trackingnet_zip
from .sot_test_splits import HiddenTestDataset

NUM_CHUNKS = 12
_ALL_CHUNKS = ["all"]


@DATASETS.register_module()
class TrackingNetDataset(HiddenTestDataset):
    """TrackingNet, for training and testing.

    The test split has no public boxes after the first frame: results are written with
    `format_results`.

    Args:
        chunks_list: Chunks used in training, numbers from 0 to 11, or ``['all']``.
        *args: As of `BaseSOTDataset`; ``split`` is ``'train'`` or ``'test'``.
        **kwargs: As `args`.

    Raises:
        ValueError: There is no such chunk, or the list of videos has none of the chunks.

    Reference: Müller et al., "TrackingNet: A Large-Scale Dataset and Benchmark for Object Tracking
    in the Wild", ECCV 2018.
    """

    SPLITS = ("train", "test")
    FRAME_TEMPLATE = "%d.jpg"
    write_submission = staticmethod(write_trackingnet_zip)

    def __init__(self, chunks_list: Sequence[str | int] = _ALL_CHUNKS, *args, **kwargs):
        chunks = [chunks_list] if isinstance(chunks_list, (str, int)) else list(chunks_list)
        known = {"all", *range(NUM_CHUNKS)}
        unknown = [chunk for chunk in chunks if chunk not in known]
        if unknown or not chunks:
            raise ValueError(
                f"chunks_list is {chunks_list!r}, expected ['all'] or numbers from 0 to "
                f"{NUM_CHUNKS - 1}"
            )
        self.chunks_list = chunks
        super().__init__(*args, **kwargs)

    def load_data_infos(self, split: str = "train") -> list[dict]:
        """Read the list of videos and keep those of the chunks; testing has a chunk of its own."""
        numbers = range(NUM_CHUNKS) if "all" in self.chunks_list else self.chunks_list
        chunks = {"TEST"} if split == "test" else {f"TRAIN_{number}" for number in numbers}
        infos = super().load_data_infos(split)
        kept = [info for info in infos if info["video_path"].split("/")[0] in chunks]
        if not kept:
            raise ValueError(
                f"{self.ann_file}: none of {len(infos)} videos is in {', '.join(sorted(chunks))} "
                f"(split={split!r}, chunks_list={self.chunks_list})"
            )
        return kept
