"""Lets pip build mmcv 1.7.2 on Python 3.13 and newer: put this folder's full path on PYTHONPATH.

mmcv's setup.py runs ``exec(code)`` in a function and then reads ``locals()['__version__']``. Since
Python 3.13 (PEP 667) ``exec`` fills a copy of the function's variables, and the name is not there.
Python imports a module of this name when it starts, so also in the process that runs setup.py.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Mapping
from typing import Any


def exec_in_caller(
    source: Any,
    namespace: dict | None = None,
    local_names: Mapping | None = None,
    /,
    **options: Any,
) -> None:
    """``exec`` whose names appear in ``locals()`` of the calling function, as before 3.13."""
    if namespace is None:
        caller = sys._getframe(1)
        namespace, local_names = caller.f_globals, caller.f_locals
    built_in(source, namespace, local_names, **options)


if sys.version_info >= (3, 13):
    built_in = builtins.exec
    builtins.exec = exec_in_caller
