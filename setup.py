"""Installation of the package ``mmtrack``.

mmcv and mmdet are not among the requirements, because pip would build mmcv in an isolated
environment where it does not build. ``make install`` installs everything in the right order;
docs/en/install.md lists the same steps for an environment of your own.
"""

import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).resolve().parent


def requirements(name):
    """Requirement lines of ``requirements/<name>.txt`` without comments."""
    lines = (ROOT / "requirements" / f"{name}.txt").read_text().splitlines()
    return [spec for line in lines if (spec := line.partition("#")[0].strip())]


def version():
    """The version in ``mmtrack/version.py``, read without importing the package."""
    text = (ROOT / "mmtrack" / "version.py").read_text()
    return re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE).group(1)


setup(
    name="mmtrack",
    version=version(),
    description="Video perception toolbox: detection, tracking and instance segmentation in videos",
    long_description=(ROOT / "README.md").read_text(),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    keywords="video object detection, multi-object tracking, single-object tracking, "
    "video instance segmentation",
    packages=find_packages(include=["mmtrack", "mmtrack.*"]),
    # the page of results reports
    package_data={"mmtrack.core.visualization.report": ["page/*"]},
    python_requires=">=3.10",
    install_requires=requirements("runtime"),
    extras_require={
        "optional": requirements("optional"),
        "loggers": requirements("loggers"),
        "tests": requirements("tests"),
        "docs": requirements("docs"),
        "all": requirements("optional") + requirements("tests") + requirements("docs"),
    },
    classifiers=[
        "Development Status :: 4 - Beta",
        "Intended Audience :: Science/Research",
        "Programming Language :: Python :: 3",
        "Topic :: Scientific/Engineering :: Image Recognition",
    ],
    zip_safe=False,
)
