"""Windows on the screen: showing an image, and drawing a box with the mouse."""

from __future__ import annotations

import os
import sys

import cv2
import numpy as np

WINDOW = "mmtrack"
DISPLAY_VARIABLES = ("DISPLAY", "WAYLAND_DISPLAY")


class DisplayError(RuntimeError):
    """A window is asked for where none can be opened."""


def show_image(image: np.ndarray, wait_time: float) -> None:
    """Show an image in the window of this process.

    Args:
        image: ``(H, W, 3)`` uint8, BGR.
        wait_time: Milliseconds to wait; 0 waits for a key.

    Raises:
        DisplayError: no window can be opened.
    """
    _require_display("write to a file instead")
    try:
        cv2.imshow(WINDOW, image)
        cv2.waitKey(int(wait_time))
    except cv2.error as error:
        raise DisplayError(_message("write to a file instead")) from error


def select_box(image: np.ndarray, remedy: str) -> np.ndarray:
    """Let the user draw a box around an object with the mouse.

    Args:
        image: ``(H, W, 3)`` uint8, BGR.
        remedy: What to do without a display, for the message.

    Returns:
        ``(4,)`` float64: x, y, width, height in pixels.

    Raises:
        DisplayError: no window can be opened.
        ValueError: the user gave up, or drew a box without area.
    """
    _require_display(remedy)
    try:
        box = cv2.selectROI(WINDOW, image, showCrosshair=False)
        cv2.destroyWindow(WINDOW)
    except cv2.error as error:
        raise DisplayError(_message(remedy)) from error
    if min(box[2:]) <= 0:
        raise ValueError("no box was drawn: drag the mouse over the object, then press Enter")
    return np.array(box, np.float64)


def _require_display(remedy: str) -> None:
    """Raise an error where the window system would end the whole process."""
    # Qt, which draws the windows of OpenCV on Linux, aborts when it finds no display.
    if sys.platform.startswith("linux") and not any(map(os.environ.get, DISPLAY_VARIABLES)):
        raise DisplayError(_message(remedy))


def _message(remedy: str) -> str:
    return f"no window can be opened (no display, or an OpenCV without windows); {remedy}"
