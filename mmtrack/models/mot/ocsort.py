"""OC-SORT."""

from ..builder import MODELS
from .tracking_by_detection import TrackingByDetection


@MODELS.register_module()
class OCSORT(TrackingByDetection):
    """OC-SORT: SORT that trusts its observations more than its predictions.

    The method is in :class:`~mmtrack.models.trackers.OCSORTTracker`; the model hands it the
    detections.

    Reference: Cao et al., "Observation-Centric SORT: Rethinking SORT for Robust Multi-Object
    Tracking", CVPR 2023, `arXiv:2203.14360 <https://arxiv.org/abs/2203.14360>`_.
    """
