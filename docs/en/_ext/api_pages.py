"""Pages of the API reference, one for each package, written into ``docs/en/api`` before a build.

A page shows what ``__all__`` of the package names, under that path, and then the public functions
and classes of its modules that the package does not export. What several packages export is
described on the page of the first of them; the others point there.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from mmcv.utils import Registry

PACKAGE = "mmtrack"


@dataclass(frozen=True)
class Section:
    """What is shown of a package or a module.

    Attributes:
        module: Its import path.
        names: Public names, in the order in which they are shown.
    """

    module: str
    names: tuple[str, ...]


def packages(root: str = PACKAGE) -> list[str]:
    """Import paths of a package and all packages in it, sorted."""
    package = importlib.import_module(root)
    found = pkgutil.walk_packages(package.__path__, f"{root}.")
    return sorted([root, *(info.name for info in found if info.ispkg)])


def sections(package: str) -> list[Section]:
    """What the page of a package shows: first the package, then its modules."""
    module = importlib.import_module(package)
    exported = _exported(module)
    own = {id(getattr(module, name)) for name in exported}
    found = [Section(package, tuple(exported))]
    for info in pkgutil.iter_modules(module.__path__, f"{package}."):
        name = info.name.rpartition(".")[2]
        # importing a module puts it in the place of an export of the same name
        if info.ispkg or name.startswith("_") or name in exported:
            continue
        inner = importlib.import_module(info.name)
        names = (n for n, value in _defined(inner) if id(value) not in own)
        found.append(Section(info.name, tuple(names)))
    return [section for section in found if section.names or section.module == package]


def first_paths() -> dict[int, str]:
    """Import path under which each object is described, by its identity."""
    found: dict[int, str] = {}
    for package in packages():
        for section in sections(package):
            module = importlib.import_module(section.module)
            for name in section.names:
                found.setdefault(id(getattr(module, name)), f"{section.module}.{name}")
    return found


def documented_names() -> set[str]:
    """Import paths of everything that the reference shows."""
    return {
        f"{section.module}.{name}"
        for package in packages()
        for section in sections(package)
        for name in section.names
    }


def _exported(module: ModuleType) -> list[str]:
    """Names of ``__all__`` that are functions, classes or registries."""
    values = {name: getattr(module, name) for name in getattr(module, "__all__", ())}
    shown = (
        name
        for name, value in values.items()
        if inspect.isclass(value) or inspect.isroutine(value) or isinstance(value, Registry)
    )
    # of the names of one registry, that which it has itself comes first
    return sorted(shown, key=lambda n: (n.lower() != getattr(values[n], "name", None), n))


def _defined(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """Public functions and classes that a module defines, in the order of the file."""
    members = (
        (name, value)
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
    )
    return ((n, v) for n, v in members if inspect.isclass(v) or inspect.isfunction(v))


def page(package: str, paths: dict[int, str]) -> str:
    """Text of the page of a package, reStructuredText; ``paths`` are :func:`first_paths`."""
    return "\n\n".join(
        _section(section, "=" if section.module == package else "-", paths)
        for section in sections(package)
    )


def _section(section: Section, underline: str, paths: dict[int, str]) -> str:
    title = section.module
    module = importlib.import_module(title)
    parts = [f"{title}\n{underline * len(title)}", f".. automodule:: {title}"]
    # the docstring of a registry is that of mmcv's class and says nothing about it
    listed = [n for n in section.names if not isinstance(getattr(module, n), Registry)]
    if listed:
        names = "\n".join(f"   {name}" for name in listed)
        parts.append(f".. autosummary::\n   :nosignatures:\n\n{names}")
    for name in section.names:
        value = getattr(module, name)
        described = paths[id(value)]
        own = described == f"{title}.{name}"
        parts.append(_entry(name, value) if own else _pointer(name, value, described))
    return "\n\n".join(parts)


def _entry(name: str, value: Any) -> str:
    if isinstance(value, Registry):
        return f".. py:data:: {name}\n\n   {_registered(value)}"
    if inspect.isclass(value):
        return f".. autoclass:: {name}\n   :members:\n   :show-inheritance:"
    return f".. autofunction:: {name}"


def _pointer(name: str, value: Any, described: str) -> str:
    kind = "class" if inspect.isclass(value) else "function"
    kind = "data" if isinstance(value, Registry) else kind
    return f".. py:{kind}:: {name}\n\n   The same as :py:{_role(kind)}:`{described}`."


def _role(kind: str) -> str:
    return "func" if kind == "function" else kind


def _registered(registry: Registry) -> str:
    ours = (n for n, v in registry.module_dict.items() if v.__module__.startswith(PACKAGE))
    names = ", ".join(f"``{name}``" for name in sorted(ours))
    return f"Registry ``{registry.name}``. Registered by this package: {names or 'nothing'}."


def write_pages(folder: Path) -> None:
    """Write the pages of all packages; what is up to date stays, what is left over is removed.

    Args:
        folder: For pages alone; made if it is missing.
    """
    folder.mkdir(exist_ok=True)
    paths = first_paths()
    wanted = {folder / f"{package}.rst": page(package, paths) + "\n" for package in packages()}
    for path in set(folder.glob("*.rst")) - set(wanted):
        path.unlink()
    for path, text in wanted.items():
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def setup(app: Any) -> dict[str, Any]:
    """Write the pages when a build begins."""
    app.connect("builder-inited", lambda app: write_pages(Path(app.srcdir) / "api"))
    return {"version": "1", "parallel_read_safe": True}
