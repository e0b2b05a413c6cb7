"""Rendered scenes for machines without data sets: seeded, annotated, in official layouts."""

from .casting import SceneSpec, crowd_scene, stage_scene, street_scene
from .scene import CATEGORIES, Actor, Frame, Scene

__all__ = [
    "CATEGORIES",
    "Actor",
    "Frame",
    "Scene",
    "SceneSpec",
    "crowd_scene",
    "stage_scene",
    "street_scene",
]
