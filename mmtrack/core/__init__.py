"""Plain functions and small classes: boxes, metrics, motion, track tables, drawing."""

from .anchor import *  # noqa: F403
from .bbox import *  # noqa: F403
from .evaluation import *  # noqa: F403
from .hook import *  # noqa: F403
from .motion import *  # noqa: F403
from .optimizer import *  # noqa: F403
from .track import *  # noqa: F403
from .utils import *  # noqa: F403
