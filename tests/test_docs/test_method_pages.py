"""Pages of methods: complete, with figures that are up to date and links that lead somewhere."""

from __future__ import annotations

import inspect
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from mmcv import Config
from mmdet.models import HEADS, LOSSES, ROI_EXTRACTORS

from mmtrack.models import MODELS

ROOT = Path(__file__).resolve().parents[2]
METHODS = ROOT / "docs" / "en" / "methods"
PAGES = sorted(path for path in METHODS.glob("*.md") if path.stem != "index")
SECTIONS = ("Training", "Options", "Differences", "Use it", "Citation")
SETTING = re.compile(r"`((?:model|data|optimizer_config)\.[\w.]+)")
CONFIG_OF_PAGE = {
    "sort": "mot/deepsort/sort_faster-rcnn_fpn_4e_mot17-private-half",
    "deepsort": "mot/deepsort/deepsort_faster-rcnn_fpn_4e_mot17-private-half",
    "tracktor": "mot/tracktor/tracktor_faster-rcnn_r50_fpn_4e_mot17-private-half",
    "bytetrack": "mot/bytetrack/bytetrack_yolox_x_crowdhuman_mot17-private-half",
    "ocsort": "mot/ocsort/ocsort_yolox_x_crowdhuman_mot17-private-half",
    "qdtrack": "mot/qdtrack/qdtrack_faster-rcnn_r50_fpn_4e_mot17-private-half",
    "siamese_rpn": "sot/siamese_rpn/siamese_rpn_r50_20e_lasot",
    "stark": "sot/stark/stark_st2_r50_50e_lasot",
    "mixformer": "sot/mixformer/mixformer_cvt_500e_got10k",
    "dff": "vid/dff/dff_faster_rcnn_r50_dc5_1x_imagenetvid",
    "fgfa": "vid/fgfa/fgfa_faster_rcnn_r50_dc5_1x_imagenetvid",
    "selsa": "vid/selsa/selsa_faster_rcnn_r50_dc5_1x_imagenetvid",
    "temporal_roi_align": (
        "vid/temporal_roi_align/selsa_troialign_faster_rcnn_r50_dc5_7e_imagenetvid"
    ),
    "masktrack_rcnn": "vis/masktrack_rcnn/masktrack_rcnn_r50_fpn_12e_youtubevis2019",
    "reid": "reid/resnet50_b32x8_MOT17",
}
# What models read with a default; no config of the method sets it.
WITH_DEFAULT = {"model.test_cfg.test_mode"}
by_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


def test_every_method_has_a_page():
    folders = {p.parent for p in (ROOT / "configs").glob("*/**/metafile.yml")}
    folders -= {ROOT / "configs" / "det"}
    shown = {(ROOT / "configs" / config).parent for config in CONFIG_OF_PAGE.values()}
    assert shown == folders
    assert {page.stem for page in PAGES} == set(CONFIG_OF_PAGE)
    index = (METHODS / "index.md").read_text()
    for page in PAGES:
        assert f"]({page.name})" in index, f"{page.name} is not in the table"
        assert f"\n{page.stem}\n" in index, f"{page.name} is not in the table of contents"


def test_scores_in_the_overview_are_published(docs_module):
    text = (METHODS / "index.md").read_text()
    said = re.search(r"\[published scores\].*?\n\n", text, re.DOTALL)[0]
    collections = docs_module("_ext/zoo").read_collections(ROOT).values()
    published = {v for c in collections for m in c.models for v in m.metrics.values()}
    numbers = {float(number) for number in re.findall(r"\d+\.\d+", said)}
    assert len(numbers) > 15
    assert numbers - published == set()


@by_page
def test_page_is_complete(page):
    text = page.read_text()
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    for section in SECTIONS:
        assert any(heading.startswith(section) for heading in headings), section
    assert re.search(r"```\{figure\} figures/\w+\.svg\n:alt: ", text)
    assert "```{zoo-table}" in text
    assert "```bibtex" in text
    assert "https://arxiv.org/abs/" in text


@by_page
def test_settings_exist(page):
    """Settings named in full are in the config of the method, or arguments of what it builds."""
    config = Config.fromfile(str(ROOT / "configs" / f"{CONFIG_OF_PAGE[page.stem]}.py"))
    for setting in set(SETTING.findall(page.read_text())) - WITH_DEFAULT:
        *path, last = setting.split(".")
        node = config._cfg_dict
        for key in path:
            node = node[int(key)] if key.isdigit() else first_config(node)[key]
        known = last in node or last in arguments(first_config(node))
        assert known, f"{page.name}: {setting}"


def first_config(node):
    """A config, or the first of a list of them."""
    return node[0] if isinstance(node, list) else node


def arguments(node) -> set[str]:
    """Arguments of the class that a config builds; its base classes take the rest."""
    for registry in (MODELS, HEADS, LOSSES, ROI_EXTRACTORS):
        found = registry.get(node.get("type", ""))
        if found is not None:
            classes = inspect.getmro(found)[:-1]
            return {n for c in classes for n in inspect.signature(c.__init__).parameters}
    return set()


@pytest.mark.parametrize("name", sorted(path.stem for path in METHODS.glob("figures/*.svg")))
def test_figure_is_up_to_date_and_used(name, docs_module):
    file = METHODS / "figures" / f"{name}.svg"
    assert docs_module("methods/figures/draw").drawn()[file.name] == file.read_text(), (
        "run python docs/en/methods/figures/draw.py"
    )
    assert any(f"figures/{file.name}" in page.read_text() for page in PAGES)


def test_boxes_of_figures_do_not_overlap_and_lie_inside(docs_module):
    svg = "{http://www.w3.org/2000/svg}"
    for text in docs_module("methods/figures/draw").drawn().values():
        tree = ET.fromstring(text)
        left, top, width, height = map(float, tree.get("viewBox").split())
        rects = [r for r in tree.iter(f"{svg}rect") if r.get("class").startswith("box")]
        boxes = [
            (float(r.get("x")), float(r.get("y")), float(r.get("width")), float(r.get("height")))
            for r in rects
        ]
        for i, (x, y, w, h) in enumerate(boxes):
            assert left <= x
            assert x + w <= left + width
            assert top <= y
            assert y + h <= top + height
            for u, v, s, t in boxes[:i]:
                assert x + w <= u or u + s <= x or y + h <= v or v + t <= y
        for line in tree.iter(f"{svg}tspan"):
            assert len(line.text) < 62


LINKED = [*PAGES, METHODS / "index.md", ROOT / "docs" / "en" / "model_zoo.md"]


@pytest.mark.parametrize("page", LINKED, ids=lambda page: page.stem)
def test_links_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)#\s]+)(?:#[\w-]+)?\)", page.read_text()):
        if not link.startswith("http"):
            assert (page.parent / link).is_file(), f"{page.name} points to {link}"


@by_page
def test_readme_points_to_the_page(page):
    readme = (ROOT / "configs" / CONFIG_OF_PAGE[page.stem]).parent / "README.md"
    assert f"docs/en/methods/{page.name}" in readme.read_text()
