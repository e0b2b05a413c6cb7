"""Report of the environment: ``python -m mmtrack.utils.collect_env``.

The package imports the function from ``environment``: a module that runs with ``-m`` must not be
imported already.
"""

import sys
from collections import OrderedDict
from types import ModuleType

from mmtrack.utils.environment import collect_env, main

__all__ = ["collect_env"]


class _CallableModule(ModuleType):
    """Importing this module rebinds ``mmtrack.utils.collect_env``, which people call."""

    def __call__(self) -> OrderedDict[str, str]:
        return collect_env()


sys.modules[__name__].__class__ = _CallableModule

if __name__ == "__main__":
    main()
