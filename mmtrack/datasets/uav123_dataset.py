"""UAV123: videos from low-flying drones."""

from __future__ import annotations

from mmdet.datasets.builder import DATASETS

from .sot_test_splits import PublicTestDataset


@DATASETS.register_module()
class UAV123Dataset(PublicTestDataset):
    """UAV123, for testing. Boxes of frames without the object are NaN.

    Args:
        *args: As of `BaseSOTDataset`; ``split`` is ``'test'``.
        **kwargs: As `args`.

    Reference: Mueller et al., "A Benchmark and Simulator for UAV Tracking", ECCV 2016.
    """

    SPLITS = ("test",)
    FRAME_TEMPLATE = "%06d.jpg"
