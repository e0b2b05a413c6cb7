"""A video of noise, a tracker that runs over it, and a count of waits for the device.

Imported by the tests of trackers that follow one object.
"""

from __future__ import annotations

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode

FIRST = torch.tensor([[30.0, 20.0, 54.0, 48.0]])


def movie(count, height=70, width=110, seed=1):
    """Frames ``(count, 1, 3, height, width)`` uint8."""
    make = torch.Generator().manual_seed(seed)
    size = (count, 1, 3, height, width)
    return torch.randint(0, 256, size, generator=make, dtype=torch.uint8)


def run(model, frames, first=FIRST):
    """What the model finds in each frame, ``(count, 5)``."""
    results = []
    with torch.no_grad():
        for i, frame in enumerate(frames):
            found = model(
                [frame], [[{"frame_id": i}]], gt_bboxes=[first if i == 0 else None],
                return_loss=False,
            )  # fmt: skip
            results.append(found["track_bboxes"])
    return np.stack(results)


class Waits(TorchDispatchMode):
    """Counts operations after which the host must wait for the device."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.overloadpacket.__name__
        self.count += name in ("_local_scalar_dense", "nonzero", "masked_select", "equal")
        return func(*args, **(kwargs or {}))
