"""Versions that mmtrack works with, checked once when it is imported.

Only the metadata of installed packages is read: nothing is imported, so a broken installation is
named before it fails somewhere deep inside.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib import metadata

from packaging.specifiers import SpecifierSet

_PYTHON = SpecifierSet(">=3.10")


@dataclass(frozen=True)
class Requirement:
    """A package that must be there.

    Attributes:
        names: Distributions that provide it; the first one installed counts.
        versions: Versions that work.
        remedy: What to type where it is missing or does not fit.
    """

    names: tuple[str, ...]
    versions: SpecifierSet
    remedy: str


REQUIREMENTS = (
    Requirement(("torch",), SpecifierSet(">=2.1"), "pip install 'torch>=2.1' torchvision"),
    Requirement(("torchvision",), SpecifierSet(">=0.16"), "pip install -U torchvision"),
    Requirement(
        ("mmcv-full", "mmcv"),
        SpecifierSet(">=1.7.0,<1.8"),
        "pip install 'setuptools>=77,<81' wheel && "
        "pip install --no-build-isolation mmcv==1.7.2 (mmcv 2.x has another interface)",
    ),
    Requirement(
        ("mmdet",),
        SpecifierSet(">=2.28.0,<3"),
        "pip install mmdet==2.28.2 (mmdet 3.x has another interface)",
    ),
)


def installed_version(*names: str) -> str | None:
    """Version of the first of these distributions that is installed, None for none."""
    for name in names:
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return None


def _problem(requirement: Requirement) -> str | None:
    name = " or ".join(reversed(requirement.names))
    version = installed_version(*requirement.names)
    if version is None:
        return f"{name} is not installed; needed: {requirement.versions}. {requirement.remedy}"
    # Local builds such as 2.13.0+cpu and nightlies count as their release.
    if not requirement.versions.contains(version.split("+")[0], prereleases=True):
        return f"{name} {version} does not fit {requirement.versions}. {requirement.remedy}"
    return None


def check_versions() -> None:
    """Raise one ImportError that lists everything that is missing or does not fit."""
    problems = []
    python = ".".join(map(str, sys.version_info[:3]))
    if not _PYTHON.contains(python, prereleases=True):
        problems.append(f"Python {python} does not fit {_PYTHON}")
    problems += [text for text in map(_problem, REQUIREMENTS) if text is not None]
    if problems:
        raise ImportError("mmtrack cannot be used here:\n  - " + "\n  - ".join(problems))
