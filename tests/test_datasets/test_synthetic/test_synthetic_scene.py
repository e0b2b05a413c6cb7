"""What the renderer says about a frame agrees with its pixels."""

import hashlib

import cv2
import numpy as np
import pytest

from mmtrack.datasets.synthetic import (
    CATEGORIES,
    Scene,
    SceneSpec,
    crowd_scene,
    stage_scene,
    street_scene,
)
from mmtrack.datasets.synthetic.geometry import Ground, camera_path
from mmtrack.datasets.synthetic.motion import fold, heading_index

SPEC = SceneSpec("clip", seed=3, size=(320, 192), length=30, fps=15, people=8, camera="pan")


@pytest.fixture(scope="module")
def street():
    return street_scene(SPEC)


def alone(scene, number):
    """The same scene with one actor only."""
    return Scene(
        scene.name,
        scene.frame_size,
        scene.fps,
        scene.picture,
        scene.ground,
        scene.camera,
        [scene.actors[number - 1]],
        scene.grain,
    )


@pytest.mark.parametrize("index", [0, 13, 29])
def test_boxes_and_visibility_match_masks(street, index):
    frame = street.render(index)
    width, height = street.frame_size
    inside = 0
    for row in range(len(frame)):
        silhouette = alone(street, frame.ids[row]).render(index).labels == 1
        x, y, w, h = frame.bboxes[row]
        if not (x >= 0 and y >= 0 and x + w <= width and y + h <= height):
            continue
        inside += 1
        rows, columns = np.nonzero(silhouette)
        extent = [columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1]
        assert [x, y, w, h] == extent
        expected = frame.mask(row).sum() / silhouette.sum()
        assert frame.visibility[row] == pytest.approx(expected, abs=1e-12)
    assert inside >= 5


def test_masks_do_not_overlap_and_near_hides_far(street):
    frame = street.render(10)
    total = sum(frame.mask(row).sum() for row in range(len(frame)))
    assert total == np.count_nonzero(frame.labels)
    # Rows go from far to near: whoever comes last is hidden by nobody.
    tracks = [street.actors[number - 1].track for number in frame.ids]
    distances = [track.distance[10 - track.start] for track in tracks]
    assert distances == sorted(distances, reverse=True)
    x, y, w, h = frame.bboxes[-1]
    if x >= 0 and y >= 0 and x + w <= 320 and y + h <= 192:
        assert frame.visibility[-1] == 1
    hidden = frame.visibility[(frame.bboxes[:, 0] > 0) & (frame.visibility < 1)]
    assert len(hidden)


def test_visible_boxes_lie_in_full_boxes(street):
    frame = street.render(5)
    visible = frame.visible_bboxes()
    seen = frame.visibility > 0
    assert np.all(visible[seen, :2] >= frame.bboxes[seen, :2])
    ends = frame.bboxes[seen, :2] + frame.bboxes[seen, 2:]
    assert np.all(visible[seen, :2] + visible[seen, 2:] <= ends)


def test_leaving_the_frame_lowers_visibility(street):
    cut = []
    for frame in map(street.render, range(30)):
        left, right = frame.bboxes[:, 0], frame.bboxes[:, 0] + frame.bboxes[:, 2]
        cut.extend(frame.visibility[(left < -5) | (right > 325)])
    assert len(cut) > 0
    assert max(cut) < 1


@pytest.mark.parametrize("build", [street_scene, stage_scene, crowd_scene])
def test_same_seed_same_pixels(build):
    def digest(spec):
        scene = build(spec)
        return hashlib.sha256(b"".join(f.image.tobytes() for f in scene)).hexdigest()

    spec = SceneSpec("a", seed=1, size=(160, 96), length=3, people=4)
    assert digest(spec) == digest(spec)
    assert digest(spec) != digest(SceneSpec("a", seed=2, size=(160, 96), length=3, people=4))
    assert digest(spec) != digest(SceneSpec("b", seed=1, size=(160, 96), length=3, people=4))


def test_frames_may_be_rendered_in_any_order(street):
    later = street.render(7)
    street.render(2)
    again = street.render(7)
    assert np.array_equal(later.image, again.image)
    assert np.array_equal(later.bboxes, again.bboxes)


def test_frame_out_of_range(street):
    with pytest.raises(IndexError, match="30 frames"):
        street.render(30)


def test_no_people_and_one_frame():
    scene = street_scene(SceneSpec("empty", size=(160, 96), length=1, people=0))
    frame = scene.render(0)
    assert CATEGORIES.index("person") not in frame.categories
    empty = Scene(
        "none", (160, 96), 15, scene.picture, scene.ground, scene.camera, [], scene.grain
    ).render(0)
    assert len(empty) == 0
    assert empty.bboxes.shape == (0, 4)
    assert empty.visible_bboxes().shape == (0, 4)


@pytest.mark.parametrize("wrong", [{"size": (32, 32)}, {"length": 0}, {"people": -1}, {"fps": 0}])
def test_impossible_specs(wrong):
    with pytest.raises(ValueError, match="frames"):
        SceneSpec("x", **wrong)


def test_people_keep_their_looks(street):
    """Colours tell people apart, so that re-identification can be learnt."""
    crops, owners = [], []
    for index in range(0, 30, 3):
        frame = street.render(index)
        for row in np.flatnonzero((frame.categories == 0) & (frame.visibility > 0.9)):
            pixels = frame.image[frame.mask(row)].astype(np.float32)
            bins = (pixels // 64).astype(int) @ (16, 4, 1)
            crops.append(np.bincount(bins, minlength=64) / len(pixels))
            owners.append(frame.ids[row])
    crops, owners = np.array(crops), np.array(owners)
    distance = np.abs(crops[:, None] - crops[None]).sum(2)
    np.fill_diagonal(distance, np.inf)
    assert len(set(owners)) >= 5
    assert np.mean(owners[distance.argmin(1)] == owners) > 0.9


@pytest.mark.parametrize("kind", ["static", "pan", "handheld", "zoom"])
def test_camera_stays_inside_of_the_picture(kind):
    path = camera_path(np.random.default_rng(0), kind, 200, (320, 192), (432, 220), 15)
    end = path.origin + np.array([320, 192]) / path.zoom[:, None]
    assert path.origin.min() >= 0
    assert np.all(end <= np.array([432, 220]) + 1e-9)
    assert (np.ptp(path.origin, axis=0).max() == 0) == (kind == "static")


def test_unknown_camera():
    with pytest.raises(ValueError, match="drone"):
        camera_path(np.random.default_rng(0), "drone", 2, (320, 192), (432, 220), 15)


def test_projection_by_hand():
    ground = Ground(focal=400, horizon=100, centre=320, camera_height=2, near=4, far=20)
    x, y, resolution = ground.project(np.array([1.0, -2.0]), np.array([4.0, 8.0]))
    assert resolution.tolist() == [100, 50]
    assert x.tolist() == [420, 220]
    assert y.tolist() == [300, 200]


def test_fold_reflects():
    values = np.array([1.0, 2.5, 3.5, 5.0, 0.5, -1.0])
    assert fold(values, 1, 3).tolist() == [1, 2.5, 2.5, 1, 1.5, 3]


def test_headings():
    across, towards = np.array([0.0, 1, 0, -1, 1]), np.array([1.0, 0, -1, 0, 1])
    assert heading_index(across, towards).tolist() == [0, 2, 4, 6, 1]


def test_people_stay_on_their_ground(street):
    for actor in street.actors:
        if actor.category == "person":
            depth = actor.track.distance
            assert depth.min() >= street.ground.near - 0.5
            assert depth.max() <= street.ground.far + 0.5
            assert actor.track.start + len(actor.track) <= len(street)


def test_camera_moves_background_and_boxes_together():
    """A post stands still on the ground: its box moves exactly as the camera does."""
    scene = street_scene(SPEC)
    number = 1 + next(i for i, a in enumerate(scene.actors) if a.category == "occluder")
    places = {}
    for index in (0, 20):
        frame = scene.render(index)
        if number in frame.ids:
            places[index] = frame.bboxes[frame.ids.tolist().index(number), 0]
    assert len(places) == 2
    moved = scene.camera.origin[0, 0] - scene.camera.origin[20, 0]
    assert places[20] - places[0] == pytest.approx(moved, abs=1.01)
    first, later = scene.render(0).image, scene.render(20).image
    strip = first[5:40, 120:200]
    score = cv2.matchTemplate(later[5:40], strip, cv2.TM_CCOEFF_NORMED)
    assert cv2.minMaxLoc(score)[3][0] - 120 == pytest.approx(moved, abs=1.5)
