"""The tutorial notebooks run, in miniature, and are kept with their outputs."""

from __future__ import annotations

import base64
import importlib.util
import io
import json
import re

import pytest

nbclient = pytest.importorskip("nbclient", reason="the notebooks need requirements/tests.txt")
nbformat = pytest.importorskip("nbformat", reason="the notebooks need requirements/tests.txt")
pytest.importorskip("ipykernel", reason="the notebooks need requirements/tests.txt")

NAMES = ("tour", "mot", "sot", "vid", "vis")
IMAGES = ("image/png", "image/jpeg", "image/gif")
LARGEST_FILE = 1_500_000  # bytes
# What a cell of the test asks the kernel for after the last cell: scores within [low, high].
SCORES = {
    "tour": ("{name: row['HOTA'] for name, row in scores.items()}", 0, 1),
    "mot": (
        "{f'{name} {key}': row[key] for name, row in scores.items() for key in ('mAP', 'IDF1')}"
        " | {'reid ' + key: value for key, value in reid_scores.items()}",
        0,
        1,
    ),
    "sot": ("{'siamrpn ' + k: v for k, v in siamrpn_scores.items()} | template_scores", 0, 100),
    "vid": ("{name: row['bbox_mAP'] for name, row in table.items()}", 0, 1),
    "vis": ("{name: found[1]['segm_mAP'] for name, found in outcomes.items()}", 0, 1),
}
FEWEST_SCORES = {"tour": 3, "mot": 8, "sot": 6, "vid": 4, "vis": 4}
FEWEST_PICTURES = {"tour": 3, "mot": 5, "sot": 5, "vid": 5, "vis": 4}


@pytest.fixture(scope="module")
def runner(root):
    spec = importlib.util.spec_from_file_location("run_notebooks", root / "demo/run_notebooks.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def execute(runner, tmp_path, monkeypatch, root):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("PYTHONPATH", str(root))

    def run(notebook):
        return runner.execute(notebook, "mini", tmp_path, timeout=300)

    return run


def read(runner, name):
    return nbformat.read(runner.NOTEBOOKS[name], as_version=4)


def pictures_of(notebook):
    """Type and content of every picture."""
    return [
        (kind, base64.b64decode(output.data[kind]))
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        for kind in IMAGES
        if kind in output.get("data", {})
    ]


def check_pictures(notebook, fewest):
    from PIL import Image

    pictures = pictures_of(notebook)
    assert len(pictures) >= fewest
    for kind, content in pictures:
        image = Image.open(io.BytesIO(content))
        assert f"image/{image.format.lower()}" == kind
        low, high = image.convert("L").getextrema()
        assert high - low > 100, "a picture of one colour"


def test_all_notebooks_are_listed(runner, root):
    assert set(runner.NOTEBOOKS) == set(NAMES)
    assert set(runner.NOTEBOOKS.values()) == set((root / "demo").rglob("*.ipynb"))


@pytest.mark.parametrize("name", NAMES)
def test_runs_in_miniature(runner, execute, name):
    notebook = read(runner, name)
    question, low, high = SCORES[name]
    notebook.cells.append(nbformat.v4.new_code_cell(f"import json; print(json.dumps({question}))"))
    answer = execute(notebook).cells.pop().outputs
    scores = json.loads("".join(output.text for output in answer))
    assert len(scores) >= FEWEST_SCORES[name]
    assert all(low <= value <= high for value in scores.values()), scores
    check_pictures(notebook, FEWEST_PICTURES[name])


@pytest.mark.parametrize(
    ("source", "message"),
    [("1 / 0", "ZeroDivisionError"), ("%run tool.py", "SystemExit: no such layout")],
    ids=["cell", "tool"],
)
def test_a_wrong_cell_fails(execute, tmp_path, source, message):
    (tmp_path / "tool.py").write_text("import sys\nsys.exit('no such layout')\n")
    cells = [nbformat.v4.new_code_cell(text) for text in ("x = 1", source, "x + 1")]
    with pytest.raises((nbclient.exceptions.CellExecutionError, ValueError), match=message):
        execute(nbformat.v4.new_notebook(cells=cells))


@pytest.mark.parametrize("name", NAMES)
class TestKeptFile:
    """What is in the repository."""

    def test_is_valid_and_small(self, runner, name):
        nbformat.validate(read(runner, name))
        assert runner.NOTEBOOKS[name].stat().st_size < LARGEST_FILE

    def test_has_the_outputs_of_one_run_from_top_to_bottom(self, runner, name):
        cells = [cell for cell in read(runner, name).cells if cell.cell_type == "code"]
        assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
        shown = [output for cell in cells for output in cell.outputs]
        assert not [output for output in shown if output.output_type == "error"]
        assert sum(bool(cell.outputs) for cell in cells) > len(cells) / 2

    def test_has_pictures(self, runner, name):
        check_pictures(read(runner, name), FEWEST_PICTURES[name])

    def test_tells_nothing_of_the_machine(self, runner, name):
        text = "\n".join(
            output.get("text", "") + output.get("data", {}).get("text/plain", "")
            for cell in read(runner, name).cells
            for output in cell.get("outputs", ())
        )
        assert not re.search(r"(^|[\s'\"=])/(home|root|tmp|usr|work|opt|Users)/", text)
        assert "Warning" not in text
        assert "Traceback" not in text


def test_outputs_are_tidied(runner):
    cell = nbformat.v4.new_code_cell("1", execution_count=1)
    cell.metadata["execution"] = {"iopub.execute_input": "2026-01-01T00:00:00Z"}
    cell.outputs = [
        nbformat.v4.new_output("stream", name=name, text=text)
        for name, text in (
            ("stdout", "a\n"),
            ("stdout", "b\n"),
            ("stderr", "c\n"),
        )
    ]
    notebook = nbformat.v4.new_notebook(
        cells=[cell], metadata={"language_info": {"name": "python"}}
    )
    notebook.metadata["language_info"]["version"] = "3.11.7"
    runner.tidy(notebook)
    assert [(o.name, o.text) for o in cell.outputs] == [("stdout", "a\nb\n"), ("stderr", "c\n")]
    assert "execution" not in cell.metadata
    assert "version" not in notebook.metadata["language_info"]
    nbformat.validate(notebook)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["boxing"], "no notebook is called boxing"), (["--size", "mini"], "needs --out")],
)
def test_bad_arguments_are_refused(runner, monkeypatch, capsys, arguments, message):
    monkeypatch.setattr("sys.argv", ["run_notebooks.py", *arguments])
    with pytest.raises(SystemExit, match="2"):
        runner.main()
    assert message in capsys.readouterr().err
