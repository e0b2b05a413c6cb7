"""Every documented name can be imported and accepts the documented arguments.

The facts are in ``zoo/api.json``.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

API_FILE = Path(__file__).resolve().parents[2] / "shared" / "zoo" / "api.json"
API = json.loads(API_FILE.read_text()) if API_FILE.is_file() else {}

# Documented as `(*args, backend, **kwargs)`, which hides the arguments; ours lists them.
EXPLICIT = (
    "mmtrack.core.bbox.calculate_region_overlap",
    "mmtrack.core.utils.imshow_mot_errors",
    "mmtrack.core.utils.imshow_tracks",
)


def find(name: str):
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(module), attribute)


REQUIRED = object()


def documented_arguments(signature: str) -> tuple[dict, bool, bool]:
    """Names and defaults of a signature, and whether it takes ``*args`` and ``**kwargs``."""
    # defaults that are not literals are shown as <...>
    signature = re.sub(r"<[^>]*>", "'<object>'", signature)
    function = ast.parse(f"def f{signature}: pass").body[0].args
    names = [a.arg for a in function.args]
    defaults = [REQUIRED] * (len(names) - len(function.defaults)) + [
        "<object>" if isinstance(d, ast.Call) else ast.literal_eval(d) for d in function.defaults
    ]
    return (
        dict(zip(names, defaults, strict=True)),
        function.vararg is not None,
        function.kwarg is not None,
    )


def plain(value):
    """Lists for tuples, recursively: configs mix them."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    return [plain(v) for v in value] if isinstance(value, list | tuple) else value


def incompatible(documented: str, ours: inspect.Signature) -> list[str]:
    """Calls that the documented signature allows and ours does not."""
    arguments, takes_args, takes_kwargs = documented_arguments(documented)
    kinds = {p.kind for p in ours.parameters.values()}
    args = inspect.Parameter.VAR_POSITIONAL in kinds
    kwargs = inspect.Parameter.VAR_KEYWORD in kinds
    named = {n: p for n, p in ours.parameters.items() if not n.startswith("self")}
    named = {n: p for n, p in named.items() if p.kind is p.POSITIONAL_OR_KEYWORD}
    arguments.pop("self", None)
    problems = []
    for position, (name, default) in enumerate(arguments.items()):
        if name in named:
            problems += difference(named, position, name, default, free_order=args)
        elif not kwargs:
            problems.append(f"has no {name!r}")
    for name, parameter in ours.parameters.items():
        variable = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        required = parameter.default is parameter.empty and not variable
        if required and name not in arguments and name != "self":
            problems.append(f"needs {name!r}, which is not documented")
    if takes_args and not args:
        problems.append("takes no *args")
    if takes_kwargs and not kwargs:
        problems.append("takes no **kwargs")
    return problems


def difference(named: dict, position: int, name: str, default, *, free_order: bool) -> list[str]:
    """Differences of one argument in position and default."""
    problems = []
    if list(named).index(name) != position and not free_order:
        problems.append(f"{name!r} is argument {list(named).index(name)}, not {position}")
    found = named[name].default
    if default is not REQUIRED and found is named[name].empty:
        problems.append(f"{name!r} has no default, should be {default!r}")
    elif default not in (REQUIRED, "<object>") and plain(found) != plain(default):
        problems.append(f"default of {name!r} is {found!r}, not {default!r}")
    return problems


def problems_of_class(found: type, facts: dict) -> list[str]:
    problems = [
        f"__init__: {p}" for p in incompatible(facts["init"], inspect.signature(found.__init__))
    ]
    for method, documented in facts["methods"].items():
        ours = inspect.getattr_static(found, method, None)
        if ours is None:
            problems.append(f"has no method {method}")
            continue
        if isinstance(ours, staticmethod | classmethod):
            ours = ours.__func__
        problems += [f"{method}: {p}" for p in incompatible(documented, inspect.signature(ours))]
    missing = [p for p in facts["properties"] if not hasattr(found, p)]
    return problems + [f"has no property {name}" for name in missing]


@pytest.mark.parametrize("name", API)
def test_documented_name(name):
    facts = API[name]
    try:
        found = find(name)
    except (ImportError, AttributeError) as error:
        pytest.fail(f"{name} cannot be imported ({error}). Is it exported?")
    if facts["kind"] == "function":
        problems = incompatible(facts["signature"], inspect.signature(found))
        if name in EXPLICIT:
            problems = [p for p in problems if not p.startswith(("takes no *", "needs "))]
    elif facts["kind"] == "class":
        problems = problems_of_class(found, facts)
    else:
        problems = [] if type(found).__name__ == facts["kind"] else [f"is a {type(found).__name__}"]
    assert problems == [], f"{name}: " + "; ".join(problems)


@pytest.mark.parametrize(
    ("documented", "ours", "problem"),
    [
        ("(a, b=1)", lambda a, b=1: 0, None),
        ("(a, b=1)", lambda a, b=1, c=2, *, d=3: 0, None),
        ("(a, b=(1, 2))", lambda a, b=[1, 2]: 0, None),  # noqa: B006
        ("(a, b=1)", lambda a, **kwargs: 0, None),
        ("(a: int, b: Optional[str] = None)", lambda a, b=None: 0, None),
        ("(a, b=1)", lambda a: 0, "has no 'b'"),
        ("(a, b=1)", lambda a, b: 0, "'b' has no default"),
        ("(a, b=1)", lambda a, b=2: 0, "default of 'b' is 2, not 1"),
        ("(a, b)", lambda b, a: 0, "'a' is argument 1, not 0"),
        ("(a)", lambda a, c: 0, "needs 'c'"),
        ("(a, **kwargs)", lambda a: 0, "takes no **kwargs"),
    ],
)  # fmt: skip
def test_comparison_notices(documented, ours, problem):
    found = incompatible(documented, inspect.signature(ours))
    assert (found == []) if problem is None else any(problem in f for f in found)


def test_packages_can_be_imported_first():
    """In a fresh process and silently: no package relies on the import of another before it."""
    runs = {
        package: subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", f"import mmtrack.{package}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for package in ("core", "datasets", "models")
    }
    for package, run in runs.items():
        out, errors = run.communicate(timeout=300)
        assert run.returncode == 0, f"{package}: {errors}"
        assert out == "", f"the import of mmtrack.{package} prints"
