"""Unknown types in configurations: the error suggests close names.

Needed by: every mmcv 1.x, whose error only says that the name is not in the registry.
"""

from __future__ import annotations

import difflib
import functools
import sys
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any

from .import_hooks import when_imported

if TYPE_CHECKING:
    from mmcv.utils import Registry

_SUGGESTIONS = 3


def registered_names(registry: Registry) -> list[str]:
    """Every name that ``registry`` can build: its own, and those of its children with scope."""
    names = list(registry.module_dict)
    for scope, child in registry.children.items():
        names += [f"{scope}.{name}" for name in registered_names(child)]
    return names


def close_names(name: str, registry: Registry) -> list[str]:
    """Registered names that resemble ``name``, the closest first; case is ignored."""
    root = registry
    while root.parent is not None:
        root = root.parent
    known = registered_names(registry)
    if root is not registry:
        own = f"{registry.scope}."  # the root knows the same classes with a scope
        known += [other for other in registered_names(root) if not other.startswith(own)]
    by_key: dict[str, list[str]] = {}
    for other in known:
        by_key.setdefault(other.rpartition(".")[2].lower(), []).append(other)
    key = name.rpartition(".")[2].lower()
    matches = difflib.get_close_matches(key, by_key, n=_SUGGESTIONS, cutoff=0.6)
    return [other for match in matches for other in by_key[match]][:_SUGGESTIONS]


def unknown_type_message(name: str, registry: Registry) -> str:
    """Error text for a type that a registry does not know."""
    suggestions = close_names(name, registry)
    hint = (
        f"did you mean {' or '.join(suggestions)}?"
        if suggestions
        else "is the module that registers it imported (custom_imports)?"
    )
    return f"{name} is not in the {registry.name} registry; {hint}"


def _with_suggestions(build_from_cfg: Callable) -> Callable:
    @functools.wraps(build_from_cfg)
    def build(cfg: dict, registry: Registry, default_args: dict | None = None) -> Any:  # noqa: ANN401
        for source in (cfg, default_args):
            name = source.get("type") if isinstance(source, dict) else None
            if name is None:
                continue
            if isinstance(name, str) and hasattr(registry, "get") and registry.get(name) is None:
                raise KeyError(unknown_type_message(name, registry))
            break
        return build_from_cfg(cfg, registry, default_args)

    return build


def _replace_builder(module: ModuleType) -> None:
    original = module.build_from_cfg
    replacement = _with_suggestions(original)
    # mmcv may have been imported before mmtrack: modules and registries hold the original
    for other in list(sys.modules.values()):
        if not getattr(other, "__name__", "").startswith(("mmcv", "mmdet")):
            continue
        for name, value in list(vars(other).items()):
            if value is original:
                setattr(other, name, replacement)
            elif isinstance(value, module.Registry) and value.build_func is original:
                value.build_func = replacement


def install() -> None:
    """Replace ``mmcv.utils.build_from_cfg``."""
    when_imported("mmcv.utils.registry", _replace_builder)
