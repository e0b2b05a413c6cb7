"""Published models, read from the metafiles beside the configs, as tables.

A metafile (``configs/**/metafile.yml``) names for each config what was published for it: scores,
data set and weights. It is the only place where they are written down for the documentation.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import yaml

# Where two metafiles spell one metric differently.
SPELLINGS = {"norm precision": "Norm. precision"}
NOT_MODELS = ("_base_", "quickstart")


@dataclass(frozen=True)
class Model:
    """What was published for one config.

    Attributes:
        config: Path from the root of the repository.
        dataset: What the scores were measured on; empty without scores.
        metrics: Scores by name, in the order of the metafile.
        weights: Addresses; of several the detector is first and the ReID network second.
    """

    config: str
    dataset: str
    metrics: dict[str, float]
    weights: tuple[str, ...]

    @property
    def name(self) -> str:
        """Name of the config without its ending."""
        return Path(self.config).stem


@dataclass(frozen=True)
class Collection:
    """The models of one metafile.

    Attributes:
        name: Of the method.
        folder: Of the metafile, from ``configs/``.
        paper: Title and address.
        models: In the order of the metafile.
    """

    name: str
    folder: str
    paper: tuple[str, str]
    models: tuple[Model, ...]


def read_metafile(path: Path, root: Path) -> Collection:
    """One metafile.

    Args:
        path: The metafile.
        root: Root of the repository.

    Raises:
        KeyError: an entry is missing; the message names the file.
    """
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    try:
        head = content["Collections"][0]
        paper = (head["Paper"]["Title"], head["Paper"]["URL"])
        models = tuple(_model(entry) for entry in content["Models"])
    except (KeyError, IndexError) as error:
        raise KeyError(f"{path} has no entry {error}") from error
    folder = path.parent.relative_to(root / "configs").as_posix()
    return Collection(head["Name"], folder, paper, models)


def _model(entry: dict) -> Model:
    results = entry.get("Results") or [{"Dataset": "", "Metrics": {}}]
    return Model(
        entry["Config"],
        results[0]["Dataset"],
        results[0]["Metrics"],
        tuple(entry.get("Weights", ())),
    )


def read_collections(root: Path) -> dict[str, Collection]:
    """All metafiles by folder, in the order of the folders."""
    found = (read_metafile(path, root) for path in sorted(root.glob("configs/**/metafile.yml")))
    return {collection.folder: collection for collection in found}


def without_weights(root: Path) -> list[str]:
    """Configs for which nothing was published, as paths from the root."""
    listed = {model.config for found in read_collections(root).values() for model in found.models}
    configs = (path.relative_to(root) for path in sorted(root.glob("configs/**/*.py")))
    models = (path.as_posix() for path in configs if path.parts[1] not in NOT_MODELS)
    return [config for config in models if config not in listed]


def select(models: Iterable[Model], pattern: str) -> list[Model]:
    """Models whose name matches a pattern such as ``sort_*``."""
    return [model for model in models if fnmatchcase(model.name, pattern)]


def tables(models: Iterable[Model], link: str) -> str:
    """Markdown tables, one for all models that have the same metrics.

    Args:
        models: The models.
        link: Way from the page to the root of the repository, with a slash at its end.
    """
    groups: dict[tuple[str, ...], list[Model]] = {}
    for model in models:
        groups.setdefault(tuple(map(_metric, model.metrics)), []).append(model)
    return "\n\n".join(_table(metrics, group, link) for metrics, group in groups.items())


def statistics(collections: Iterable[Collection], link: str) -> str:
    """Markdown table of what was published for each method, with the sums in its last row.

    A file of weights that several configs name is counted once in a row, and once in the sum.

    Args:
        collections: The methods; one row for each.
        link: Way from the page to the root of the repository, with a slash at its end.
    """
    header = ["Method", "Paper", "Configs", "With scores", "Files of weights"]
    rows, sums, files = [header, ["---", "---", "---:", "---:", "---:"]], [0, 0], set()
    for found in collections:
        own = {address for model in found.models for address in model.weights}
        scored = sum(bool(model.metrics) for model in found.models)
        title, address = found.paper
        method = f"[{found.name}]({link}configs/{found.folder}/README.md)"
        rows.append(
            [method, f"[{title}]({address})", *map(str, (len(found.models), scored, len(own)))]
        )
        sums = [sums[0] + len(found.models), sums[1] + scored]
        files |= own
    rows.append(["Together", "", *map(str, (*sums, len(files)))])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def config_list(configs: Iterable[str], link: str) -> str:
    """Markdown list of configs; ``link`` as in :func:`tables`."""
    return "\n".join(f"- [{Path(config).stem}]({link}{config})" for config in configs)


def _metric(name: str) -> str:
    return SPELLINGS.get(name.lower(), name)


def _table(metrics: Sequence[str], models: Sequence[Model], link: str) -> str:
    tested = ["Tested on"] if metrics else []
    header = ["Config", *tested, *metrics, "Weights"]
    rule = ["---"] * (1 + len(tested)) + ["---:"] * len(metrics) + ["---"]
    rows = [
        [
            f"[{model.name}]({link}{model.config})",
            *([model.dataset] if tested else []),
            *map(str, model.metrics.values()),
            _weights(model.weights),
        ]
        for model in models
    ]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [header, rule, *rows])


def _weights(addresses: Sequence[str]) -> str:
    names = ["detector", "ReID"] if len(addresses) > 1 else ["model"] * len(addresses)
    return ", ".join(f"[{n}]({a})" for n, a in zip(names, addresses, strict=True)) or "-"
