import pytest
from mmcv.utils import Registry, build_from_cfg

import mmtrack  # noqa: F401


@pytest.fixture
def registries():
    root = Registry("root", scope="mmcv")
    models = Registry("models", parent=root, scope="mmtrack")
    detectors = Registry("models", parent=root, scope="mmdet")

    @models.register_module()
    class ByteTrack:
        pass

    @models.register_module()
    class DeepSORT:
        def __init__(self, detector):
            pass

    @detectors.register_module()
    class FasterRCNN:
        pass

    return root, models


def test_known_types_build(registries):
    _, models = registries
    assert type(models.build(dict(type="ByteTrack"))).__name__ == "ByteTrack"
    assert type(models.build(dict(type="mmdet.FasterRCNN"))).__name__ == "FasterRCNN"
    assert type(build_from_cfg({}, models, dict(type="ByteTrack"))).__name__ == "ByteTrack"


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("ByteTracker", "did you mean ByteTrack?"),
        ("deepsort", "did you mean DeepSORT?"),
        ("FasterRcnn", "did you mean mmdet.FasterRCNN?"),
        ("mmdet.FastRCNN", "did you mean mmdet.FasterRCNN?"),
        ("Nothing", "custom_imports"),
    ],
)
def test_unknown_types_suggest_close_names(registries, name, suggestion):
    _, models = registries
    with pytest.raises(KeyError) as error:
        models.build(dict(type=name))
    assert f"{name} is not in the models registry" in str(error.value)
    assert suggestion in str(error.value)


def test_other_errors_are_unchanged(registries):
    _, models = registries
    with pytest.raises(TypeError, match="DeepSORT"):
        models.build(dict(type="DeepSORT", wrong=1))
    with pytest.raises(KeyError, match='must contain the key "type"'):
        models.build(dict(detector=1))
    with pytest.raises(TypeError, match="cfg must be a dict"):
        models.build("ByteTrack")
