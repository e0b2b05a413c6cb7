"""Execute the tutorial notebooks and keep their outputs in the files.

Example:
    python demo/run_notebooks.py                            # all of them, in place
    python demo/run_notebooks.py mot vis                    # some
    python demo/run_notebooks.py --size mini --out tried    # seconds; leaves the files alone
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

from mmtrack.utils.file_io import atomic_write

DEMO = Path(__file__).resolve().parent
NOTEBOOKS = {
    "tour": DEMO / "MMTracking_Tutorial.ipynb",
    "mot": DEMO / "tutorials" / "mot.ipynb",
    "sot": DEMO / "tutorials" / "sot.ipynb",
    "vid": DEMO / "tutorials" / "vid.ipynb",
    "vis": DEMO / "tutorials" / "vis.ipynb",
}
SIZES = ("full", "mini")


def execute(
    notebook: NotebookNode, size: str, folder: Path, timeout: float | None = None
) -> NotebookNode:
    """Run all cells of a notebook in a kernel of its own.

    Args:
        notebook: The notebook; its outputs are replaced.
        size: ``'full'`` or ``'mini'``, see the notebooks.
        folder: Receives what the cells write.
        timeout: Seconds that a cell may take, None for any time.

    Returns:
        The same notebook.

    Raises:
        CellExecutionError: a cell failed.
        ValueError: a tool that a cell ran with ``%run`` ended with an error.
    """
    env = {
        **os.environ,
        "MMTRACK_TUTORIAL_SIZE": size,
        "MMTRACK_TUTORIAL_DIR": str(folder),
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    }
    client = NotebookClient(
        notebook,
        timeout=timeout,
        kernel_name="python3",
        record_timing=False,
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute(env=env)
    for number, cell in enumerate(notebook.cells):
        # %run shows the error of a script and lets the cell go on.
        for error in (o for o in cell.get("outputs", ()) if o.output_type == "error"):
            raise ValueError(f"cell {number}: {error.ename}: {error.evalue}\n{cell.source}")
    return notebook


def tidy(notebook: NotebookNode) -> NotebookNode:
    """Drop what differs between machines, and put lines of one stream together."""
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = _tidy_outputs(cell.outputs)
    return notebook


def _tidy_outputs(outputs: list[NotebookNode]) -> list[NotebookNode]:
    kept: list[NotebookNode] = []
    for output in outputs:
        if output.output_type == "stream" and kept and kept[-1].get("name") == output.name:
            kept[-1].text += output.text
        else:
            kept.append(output)
    return kept


def parse_args() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NOTEBOOKS)}")
    parser.add_argument(
        "--size",
        choices=SIZES,
        default="full",
        help="full takes some minutes per notebook on two CPU cores; mini seconds",
    )
    parser.add_argument(
        "--out", type=Path, help="folder for the executed files; they are replaced without it"
    )
    args = parser.parse_args()
    unknown = sorted(set(args.names) - set(NOTEBOOKS))
    if unknown:
        parser.error(f"no notebook is called {unknown[0]}; there are {', '.join(NOTEBOOKS)}")
    if args.size == "mini" and args.out is None:
        parser.error("--size mini needs --out: scores of the mini size mean nothing")
    return args


def main() -> None:
    """Execute and write."""
    args = parse_args()
    for name in args.names or NOTEBOOKS:
        source = NOTEBOOKS[name]
        target = source if args.out is None else args.out / source.name
        notebook = nbformat.read(source, as_version=4)
        start = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            try:
                execute(notebook, args.size, Path(folder))
            except (CellExecutionError, ValueError) as error:
                sys.exit(f"{source.name} failed, {target} is left as it is\n{error}")
        target.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(target) as file:
            nbformat.write(tidy(notebook), file)
        print(f"{target}: {time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()
