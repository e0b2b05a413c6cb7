import sys

import pytest

from mmtrack.compat import versions


def test_the_installed_versions_pass():
    versions.check_versions()


@pytest.mark.parametrize(
    ("installed", "words"),
    [
        ({"torch": "1.13.1"}, ["torch 1.13.1", ">=2.1", "pip install"]),
        ({"mmcv": "2.1.0"}, ["mmcv or mmcv-full 2.1.0", "mmcv==1.7.2"]),
        ({"mmcv": None}, ["mmcv or mmcv-full is not installed", "--no-build-isolation"]),
        ({"mmdet": "3.3.0"}, ["mmdet 3.3.0", "mmdet==2.28.2"]),
        ({"mmdet": None, "torch": "2.0.1+cu117"}, ["mmdet is not", "torch 2.0.1+cu117"]),
    ],
)
def test_errors_name_everything_wrong_and_the_remedy(monkeypatch, installed, words):
    good = {"torch": "2.13.0+cpu", "torchvision": "0.28.0", "mmcv": "1.7.2", "mmdet": "2.28.2"}
    found = {**good, **installed}

    def version(name):
        if found.get(name) is None:
            raise versions.metadata.PackageNotFoundError(name)
        return found[name]

    monkeypatch.setattr(versions.metadata, "version", version)
    with pytest.raises(ImportError) as error:
        versions.check_versions()
    for word in words:
        assert word in str(error.value)


def test_mmcv_full_counts_and_local_builds_are_fine(monkeypatch):
    found = {
        "torch": "2.16.0.dev20270101+cu130",
        "torchvision": "0.28.0+cpu",
        "mmcv-full": "1.7.2",
        "mmdet": "2.28.2",
    }

    def version(name):
        if name not in found:
            raise versions.metadata.PackageNotFoundError(name)
        return found[name]

    monkeypatch.setattr(versions.metadata, "version", version)
    versions.check_versions()


def test_old_python(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    with pytest.raises(ImportError, match=r"Python 3\.9\.2 does not fit >=3\.10"):
        versions.check_versions()
