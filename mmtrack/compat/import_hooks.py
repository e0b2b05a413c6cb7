"""Patches that wait for the import of the module they repair.

Importing mmdet takes seconds, so ``import mmtrack`` must not do it only to patch it. A patch is
registered for a module name here; it runs once, right after that module was executed.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable, Sequence
from types import ModuleType

Patch = Callable[[ModuleType], None]


class _PatchingLoader(importlib.abc.Loader):
    """Delegates to the real loader and runs the patches afterwards."""

    def __init__(self, loader: importlib.abc.Loader, patches: list[Patch]) -> None:
        self._loader = loader
        self._patches = patches

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        # The module keeps its real loader: resources and source are found through it.
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        for patch in self._patches:
            patch(module)


class _PostImportFinder(importlib.abc.MetaPathFinder):
    """Finds only modules that have patches, and wraps their loader."""

    def __init__(self) -> None:
        self.patches: dict[str, list[Patch]] = {}
        self._searching: set[str] = set()

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname not in self.patches or fullname in self._searching:
            return None
        self._searching.add(fullname)
        try:
            spec = importlib.util.find_spec(fullname)
        finally:
            self._searching.discard(fullname)
        if spec is not None and spec.loader is not None:
            spec.loader = _PatchingLoader(spec.loader, self.patches[fullname])
        return spec


_FINDER = _PostImportFinder()


def when_imported(name: str, patch: Patch) -> None:
    """Run ``patch(module)`` once, now if the module is imported already, else after its import.

    Args:
        name: Full name of the module.
        patch: Called with the module. Registering the same function twice has no effect.
    """
    if _FINDER not in sys.meta_path:
        sys.meta_path.insert(0, _FINDER)
    known = _FINDER.patches.setdefault(name, [])
    if patch in known:
        return
    known.append(patch)
    module = sys.modules.get(name)
    if module is not None:
        patch(module)
