"""Messages that tell users of these versions nothing.

Needed by: mmcv 1.7.x, which announces the release of mmcv 2.0 (January 2023) at every import.
"""

from __future__ import annotations

import warnings


def install() -> None:
    """Hide the announcement."""
    warnings.filterwarnings("ignore", message="On January 1, 2023, MMCV will release v2.0.0")
