"""The tables of published models: complete, and equal to the reference facts."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "docs/en/model_zoo.md", *sorted((ROOT / "docs/en/methods").glob("*.md"))]
DIRECTIVE = re.compile(r"```\{zoo-(table|statistics|unpublished)\} ?(\S*)\n(?::match: (\S+)\n)?```")


@pytest.fixture(scope="module")
def zoo(docs_module):
    return docs_module("_ext/zoo")


@pytest.fixture(scope="module")
def models(zoo):
    """All models of all metafiles, by config."""
    found = [m for c in zoo.read_collections(ROOT).values() for m in c.models]
    by_config = {model.config: model for model in found}
    assert len(by_config) == len(found), "a config is in two metafiles"
    return by_config


def test_published_models_are_those_of_the_reference(models, shared):
    with (shared / "zoo" / "checkpoints.csv").open() as file:
        rows = list(csv.DictReader(file))
    want = {
        f"configs/{r['config']}": (json.loads(r["metrics"]), tuple(r["weights_url"].split(";")))
        for r in rows
    }
    have = {config: (m.metrics, m.weights) for config, m in models.items() if m.metrics}
    assert have == want


def test_data_sets_are_those_of_the_reference(models, shared):
    """The reference says ``MOT17`` of QDTrack where others have ``MOT17-half-val``."""
    with (shared / "zoo" / "checkpoints.csv").open() as file:
        for row in csv.DictReader(file):
            assert models[f"configs/{row['config']}"].dataset.startswith(row["dataset"])


def test_weights_without_scores_are_those_that_configs_load(models, shared):
    known = (shared / "zoo" / "init_checkpoints.csv").read_text()
    bare = [model for model in models.values() if not model.metrics]
    assert {Path(model.config).parts[1] for model in bare} == {"det", "reid"}
    for model in bare:
        assert model.weights
        assert all(f",{address}\n" in known for address in model.weights)


def test_every_config_is_shown(zoo, models):
    """In a table, or in the list of those without weights, of the model zoo."""
    configs = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "configs").glob("*/**/*.py")
        if path.relative_to(ROOT).parts[1] not in ("_base_", "quickstart")
    }
    assert configs == {*models, *zoo.without_weights(ROOT)}
    shown = {folder for kind, folder, _ in DIRECTIVE.findall(PAGES[0].read_text())}
    assert shown == {*zoo.read_collections(ROOT), ""}, "a metafile is not in model_zoo.md"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_tables_of_pages_exist(page, zoo):
    """Every directive names a metafile and matches at least one of its models."""
    collections = zoo.read_collections(ROOT)
    text = page.read_text()
    assert len(DIRECTIVE.findall(text)) == len(re.findall(r"^```\{zoo-", text, re.MULTILINE))
    for kind, folder, pattern in DIRECTIVE.findall(text):
        if kind == "table":
            assert zoo.select(collections[folder].models, pattern or "*")


def test_readme_of_a_method_names_the_metafile(zoo):
    for collection in zoo.read_collections(ROOT).values():
        file = ROOT / "configs" / collection.folder / "metafile.yml"
        head = yaml.safe_load(file.read_text())["Collections"][0]
        assert head["README"] == f"configs/{collection.folder}/README.md"
        assert collection.paper[1] in (ROOT / head["README"]).read_text()


def test_readmes_repeat_the_metafiles(models):
    """Each published model has rows in its README with its scores and its addresses."""
    for config, model in models.items():
        readme = (ROOT / config).parent / "README.md"
        lines = readme.read_text().splitlines()
        row = " ".join(line for line in lines if line.startswith("|") and f"[{model.name}]" in line)
        cells = [cell.strip() for cell in row.split("|")]
        missing = {str(value) for value in model.metrics.values()} - set(cells)
        missing |= {address for address in model.weights if f"]({address})" not in row}
        assert not missing, f"{readme}: {model.name}"


def test_tables(zoo):
    models = [
        zoo.Model("configs/a/x.py", "Cats", {"Norm Precision": 1.5, "AP": 60}, ("http://x/1.pth",)),
        zoo.Model("configs/a/y.py", "Dogs", {"Norm precision": 2.0, "AP": 0.5}, ("1", "2")),
        zoo.Model("configs/a/z.py", "", {}, ()),
    ]
    assert zoo.tables(models, "../") == (
        "| Config | Tested on | Norm. precision | AP | Weights |\n"
        "| --- | --- | ---: | ---: | --- |\n"
        "| [x](../configs/a/x.py) | Cats | 1.5 | 60 | [model](http://x/1.pth) |\n"
        "| [y](../configs/a/y.py) | Dogs | 2.0 | 0.5 | [detector](1), [ReID](2) |\n"
        "\n"
        "| Config | Weights |\n"
        "| --- | --- |\n"
        "| [z](../configs/a/z.py) | - |"
    )


def test_statistics_count_shared_weights_once(zoo):
    paper = ("On Cats", "http://p")
    one = zoo.Model("configs/a/x.py", "Cats", {"AP": 60}, ("1", "2"))
    two = zoo.Model("configs/a/y.py", "", {}, ("2",))
    cats = zoo.Collection("Cats", "vid/a", paper, (one, two))
    dogs = zoo.Collection("Dogs", "vid/b", paper, (two,))
    assert zoo.statistics([cats, dogs], "../").splitlines()[2:] == [
        "| [Cats](../configs/vid/a/README.md) | [On Cats](http://p) | 2 | 1 | 2 |",
        "| [Dogs](../configs/vid/b/README.md) | [On Cats](http://p) | 1 | 0 | 1 |",
        "| Together |  | 3 | 1 | 2 |",
    ]


def test_a_metafile_with_a_missing_entry_is_named(zoo, tmp_path):
    folder = tmp_path / "configs" / "mot" / "new"
    folder.mkdir(parents=True)
    (folder / "metafile.yml").write_text("Collections: [{Name: New}]\nModels: []\n")
    with pytest.raises(KeyError, match=r"mot/new/metafile.yml has no entry 'Paper'"):
        zoo.read_collections(tmp_path)
