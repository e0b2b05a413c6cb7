"""SORT and DeepSORT."""

from ..builder import MODELS
from .tracking_with_reid import TrackingWithReID


@MODELS.register_module()
class DeepSORT(TrackingWithReID):
    """DeepSORT; without ``reid`` it is SORT.

    Arguments are those of :class:`TrackingWithReID`; the tracker reads the motion model as
    ``model.motion``.

    Reference: Bewley et al., "Simple Online and Realtime Tracking", ICIP 2016,
    `arXiv:1602.00763 <https://arxiv.org/abs/1602.00763>`_; Wojke et al., "Simple Online and
    Realtime Tracking with a Deep Association Metric", ICIP 2017,
    `arXiv:1703.07402 <https://arxiv.org/abs/1703.07402>`_.
    """
