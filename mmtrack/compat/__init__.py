"""Everything that knows about versions of torch, numpy, OpenCV and mmcv."""


def install() -> None:
    """Make the libraries underneath work together on this machine."""
