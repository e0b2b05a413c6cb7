"""Things that can stand in a scene."""

from .animals import ANIMALS, GAIT_PHASES, AnimalFigure
from .appearance import Appearance, random_appearance
from .base import Figure
from .person import HEADINGS, PersonFigure
from .props import (
    BenchFigure,
    CarFigure,
    KioskFigure,
    LampPostFigure,
    SeatedFigure,
    TruckFigure,
)
from .skeleton import DANCE_PHASES, STANDING, WALK_PHASES, dancing, walking

__all__ = [
    "ANIMALS",
    "DANCE_PHASES",
    "GAIT_PHASES",
    "HEADINGS",
    "STANDING",
    "WALK_PHASES",
    "AnimalFigure",
    "Appearance",
    "BenchFigure",
    "CarFigure",
    "Figure",
    "KioskFigure",
    "LampPostFigure",
    "PersonFigure",
    "SeatedFigure",
    "TruckFigure",
    "dancing",
    "random_appearance",
    "walking",
]
