"""ByteTrack."""

from ..builder import MODELS
from .tracking_by_detection import TrackingByDetection


@MODELS.register_module()
class ByteTrack(TrackingByDetection):
    """ByteTrack: boxes of low score are linked too, in a second round.

    The method is in :class:`~mmtrack.models.trackers.ByteTracker`; the model hands it the
    detections.

    Reference: Zhang et al., "ByteTrack: Multi-Object Tracking by Associating Every Detection Box",
    ECCV 2022, `arXiv:2110.06864 <https://arxiv.org/abs/2110.06864>`_.
    """
