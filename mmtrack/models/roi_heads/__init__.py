"""Second stages of detectors that use several frames."""

from .selsa_bbox_head import SelsaBBoxHead
from .selsa_roi_head import SelsaRoIHead
from .single_roi_extractor import SingleRoIExtractor
from .temporal_roi_align import TemporalRoIAlign

__all__ = ["SelsaBBoxHead", "SelsaRoIHead", "SingleRoIExtractor", "TemporalRoIAlign"]
