"""Single object trackers."""

from .base import BaseSingleObjectTracker

__all__ = ["BaseSingleObjectTracker"]
