"""Things that can stand in a scene."""

from .appearance import Appearance, random_appearance
from .base import Figure
from .person import HEADINGS, PersonFigure
from .props import BenchFigure, CarFigure, KioskFigure, LampPostFigure, SeatedFigure
from .skeleton import DANCE_PHASES, STANDING, WALK_PHASES, dancing, walking

__all__ = [
    "DANCE_PHASES",
    "HEADINGS",
    "STANDING",
    "WALK_PHASES",
    "Appearance",
    "BenchFigure",
    "CarFigure",
    "Figure",
    "KioskFigure",
    "LampPostFigure",
    "PersonFigure",
    "SeatedFigure",
    "dancing",
    "random_appearance",
    "walking",
]
