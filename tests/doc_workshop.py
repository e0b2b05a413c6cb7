"""Run documented commands in a scratch folder, on small data and networks of random weights.

The scratch folder looks like the repository, with ``data/`` and ``work_dirs/`` of its own. What is
changed in a command before it runs is said here and nowhere else:

- words in capitals, and published configs, which need real data and big networks, become the
  quick-start config of their task and its weights;
- rendering makes a few frames, training takes one short epoch, processes are two and on the CPU.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

import cv2
import mmcv
import numpy as np
from doc_blocks import Command, blocks, commands
from launching import free_port

QUICK = "configs/quickstart"
PROJECTS = {
    "mot": "bytetrack_yolox_tiny_synthetic-mot17",
    "det": "faster-rcnn_r18_synthetic-mot17",
    "reid": "reid_resnet18_synthetic-mot17",
    "vis": "masktrack_rcnn_r18_synthetic-youtubevis",
    "vid": "selsa_faster_rcnn_r18_synthetic-vid",
    "sot": "siamese_rpn_r50_synthetic-lasot",
    "qdtrack": "qdtrack_faster-rcnn_r18_synthetic-mot17",
}
# Published configs, by folder, and the quick start that takes their place.
PUBLISHED = (
    ("configs/mot/qdtrack", "qdtrack"),
    ("configs/mot/ocsort", "ocsort_yolox_tiny_synthetic-mot17"),
    ("configs/mot/deepsort", "deepsort_yolox_tiny_synthetic-mot17"),
    ("configs/mot/tracktor", "tracktor_faster-rcnn_r18_synthetic-mot17"),
    ("configs/mot", "mot"),
    ("configs/sot/mixformer", "mixformer_st1_cvt_synthetic-lasot"),
    ("configs/sot/stark", "stark_st1_r18_synthetic-lasot"),
    ("configs/sot", "sot"),
    ("configs/vid/fgfa", "fgfa_faster_rcnn_r18_synthetic-vid"),
    ("configs/vid", "vid"),
    ("configs/vis", "vis"),
    ("configs/det", "det"),
    ("configs/reid", "reid"),
)
TASK_OF_SCRIPT = {
    "demo/demo_vid.py": "vid",
    "demo/demo_sot.py": "sot",
    "tools/analysis/sot/still_box_baseline.py": "sot",
    "tools/analysis/sot/sot_siamrpn_param_search.py": "sot",
    "tools/analysis/sot/dist_sot_siamrpn_search.sh": "sot",
    "tools/analysis/bench/bench_sot_search.py": "sot",
}
# Scripts that build no network; they run on published configs as they are, and at every test run.
CHEAP = re.compile(
    r"tools/(synthesize|track_detections|convert_datasets/.*|analysis/print_config"
    r"|analysis/mot/mot_dummy_results)\.py$"
)
NO_NETWORK = re.compile(CHEAP.pattern[:-1] + r"|tools/analysis/mot/compare_trackers\.py$")
CONFIG_WORDS = {"CONFIG", "CONFIG.py", "CONFIG_FILE", "$CONFIG", "${CONFIG}", "${CONFIG_FILE}"}
WEIGHT_WORDS = {"CHECKPOINT", "CHECKPOINT.pth", "FILE", "FILE.pth", "IN.pth", "$CHECKPOINT"}
WORDS = {
    "VIDEO": "street.mp4", "DIR": "out/dir", "DIR_OR_FILE": "MOT15/train", "WORK_DIR": "out/run",
    "LAYOUT": "mot17", "OUT": "out/published", "frames/": "frames",
}  # fmt: skip
# Folders of data that a command may read without having made them.
LAYOUT_OF_FOLDER = {
    "MOT15": "mot15", "data/MOT15": "mot15", "data/MOT16": "mot16", "data/MOT17": "mot17",
    "data/MOT20": "mot20", "data/crowdhuman": "crowdhuman", "data/DanceTrack": "dancetrack",
    "data/ILSVRC": "ilsvrc", "data/lasot": "lasot", "data/got10k": "got10k",
    "data/trackingnet": "trackingnet", "data/otb100": "otb100", "data/UAV123": "uav123",
    "data/vot2018": "vot", "data/coco": "coco", "data/tao": "tao", "data/lvis": "lvis",
    "data/youtube_vis_2019": "youtube-vis-2019", "data/youtube_vis_2021": "youtube-vis-2021",
}  # fmt: skip
SMALL = {
    "sequences": 2, "test_sequences": 2, "videos": 2, "val_videos": 2, "valid_videos": 2,
    "test_videos": 2, "frames": 8, "test_frames": 6, "images": 4, "val_images": 2,
    "other_images": 1, "size": (320, 192), "people": 10,
}  # fmt: skip
SMALL_LAYOUTS = {
    "reid": {"sequences": 1, "frames": 9},
    "lasot": {"frames": 24},  # samples are frames that lie apart
    "imagenet-vid": {"frames": 24},
}
# Published configs whose test set has no public boxes; the quick start is tested on its layout.
SERVER_SETS = {
    "trackingnet": ("TrackingNetDataset", "data/trackingnet"),
    "got10k": ("GOT10kDataset", "data/got10k"),
}
SHORT = {
    "total_epochs": 1, "data.workers_per_gpu": 0, "log_config.interval": 1,
    "checkpoint_config.interval": 1, "evaluation.interval": 1,
}  # fmt: skip


class Workshop:
    """The scratch folder and the process that starts scripts.

    Args:
        root: The repository.
        folder: Empty folder.
    """

    def __init__(self, root: Path, folder: Path) -> None:
        self.root, self.folder = root, folder
        for path in root.iterdir():
            if path.name not in {".git", "data", "work_dirs"}:
                (folder / path.name).symlink_to(path)
        env = {**os.environ, "OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg", "PYTHONPATH": str(root)}
        self.server = subprocess.Popen(
            [sys.executable, str(root / "tests" / "doc_server.py")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder, env=env,
        )  # fmt: skip
        self.done: dict[tuple[str, ...], str | None] = {}
        write_video(folder / "street.mp4", folder / "frames")

    def close(self) -> None:
        """End the process."""
        self.server.stdin.close()
        self.server.wait(30)

    def write_files(self, path: Path) -> None:
        """Write the files of ``my_project`` that a page shows."""
        for block in blocks(path):
            name = block.text.partition("\n")[0].removeprefix("# ")
            if block.language == "python" and name.startswith("my_project/"):
                (self.folder / name).parent.mkdir(exist_ok=True)
                (self.folder / name).write_text(block.text)

    def run(self, command: Command) -> str | None:
        """Run a command; returns what went wrong, None where nothing did."""
        self.render_missing(command.words)
        filled = self.fill_in(command)
        self.render_missing(filled)
        words = self.shrink(filled)
        if command.line_of_shell:
            words = ["bash", "-c", command.line_of_shell]
        key = (*command.settings, *words)
        if key not in self.done:
            self.done[key] = self.start(words, command.settings)
        return self.done[key]

    def start(self, words: list[str], settings: tuple[str, ...] = (), timeout: int = 900):
        """Run words as they are; returns None or the end of the output."""
        env = dict(word.split("=", 1) for word in settings)
        log = self.folder / "output.txt"
        if words[0].endswith("python"):
            argv = words[1:]
            task = {"argv": argv, "cwd": str(self.folder), "log": str(log), "env": env}
            self.server.stdin.write(json.dumps({**task, "timeout": timeout}) + "\n")
            self.server.stdin.flush()
            status = int(self.server.stdout.readline())
        else:
            status = self.start_shell(words, env, log, timeout)
        return None if status == 0 else f"{' '.join(words)}: {status}\n{log.read_text()[-1500:]}"

    def start_shell(self, words: list[str], env: dict[str, str], log: Path, timeout: int) -> int:
        """Run a shell script of ours; returns its exit status."""
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        env = {
            **os.environ, "PATH": path, "PORT": free_port(), "PYTHON": sys.executable, **env,
        }  # fmt: skip
        with open(log, "w") as output:
            return subprocess.run(
                words, cwd=self.folder, env={**env, "OMP_NUM_THREADS": "1"}, timeout=timeout,
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False,
            ).returncode  # fmt: skip

    def render_missing(self, words: Sequence[str]) -> None:
        """Render the data sets that a command reads and nothing has made yet."""
        made = words[words.index("--out") + 1] if "--out" in words else None
        for word in words:
            for folder, layout in LAYOUT_OF_FOLDER.items():
                named = word == folder or word.startswith(f"{folder}/")
                if named and folder != made and not (self.folder / folder).exists():
                    words = ["python", "tools/synthesize.py", layout, "--out", folder]
                    assert self.start(self.shrink(words)) is None

    def furnish(self) -> None:
        """Data and random weights for every quick-start config, as the heads of these say."""
        names = sorted(path.stem for path in (self.root / QUICK).glob("*.py"))
        for name in names:
            for command in commands(self.root / QUICK / f"{name}.py"):
                if CHEAP.search(command.words[1]):
                    problem = self.run(command)
                    assert problem is None, problem
        here = os.getcwd()
        os.chdir(self.folder)  # configs name the weights that they begin with relative to it
        try:
            # Detectors and ReID models first: others begin with their weights.
            for name in sorted(names, key=lambda name: len(self.begins_with(name))):
                self.write_weights(name)
        finally:
            os.chdir(here)

    def begins_with(self, name: str) -> set[str]:
        """Checkpoints of other quick-start configs that a config names."""
        text = mmcv.Config.fromfile(str(self.root / QUICK / f"{name}.py")).pretty_text
        return set(re.findall(r"work_dirs/[\w/.-]+\.pth", text))

    def write_weights(self, name: str) -> None:
        """Random weights of a quick-start config, where its training puts them."""
        import torch

        from mmtrack.apis.task import build_task_model

        torch.manual_seed(0)
        model = build_task_model(mmcv.Config.fromfile(str(self.root / QUICK / f"{name}.py")))
        model.init_weights()
        if name == PROJECTS["sot"]:
            with torch.no_grad():  # bytes as input: activations of usual size
                model.backbone.conv1.weight.mul_(0.02)
        folders = [self.weights(name).parent]
        if name == PROJECTS["mot"]:
            folders.append(self.folder / "work_dirs" / "demo")  # where `make demo` trains it
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
            torch.save({"meta": {}, "state_dict": model.state_dict()}, folder / "latest.pth")

    def weights(self, name: str) -> Path:
        """Where the training of a quick-start config leaves its weights."""
        return self.folder / "work_dirs" / "quickstart" / name / "latest.pth"

    def fill_in(self, command: Command) -> list[str]:
        """The words of a command with files of the workshop in the place of names for them."""
        script = next((w for w in command.words if w.startswith(("tools/", "demo/"))), "")
        name = quick_start(command, script)
        filled = []
        for word in self.expand(command.words):
            word = WORDS.get(word, word)
            published = word.startswith("configs/") and not word.startswith(QUICK)
            if word in CONFIG_WORDS or (published and not NO_NETWORK.search(script)):
                word = f"{QUICK}/{name}.py"
            elif word.startswith("load_from="):
                word = f"load_from={self.weights(name)}"
            elif word in WEIGHT_WORDS or word.startswith("checkpoints/"):
                word = str(self.weights(name))
            filled.append(word)
        if "--format-only" in filled:
            filled += self.server_set(command.words)
        return filled

    def server_set(self, words: tuple[str, ...]) -> list[str]:
        """Options that test on the data set that a published config is named after."""
        for name, (kind, folder) in SERVER_SETS.items():
            if not any(word.startswith("configs/sot/") and name in word for word in words):
                continue
            self.render_missing((folder,))
            lists = f"{folder}/annotations"
            script = f"tools/convert_datasets/{name}/gen_{name}_infos.py"
            options = ["-i", folder, "-o", lists, "--split", "test"]
            problem = self.start(["python", script, *options])
            assert problem is None, problem
            return [
                "--cfg-options",
                f"data.test.type={kind}",
                f"data.test.ann_file={lists}/{name}_test_infos.txt",
                f"data.test.img_prefix={folder}",
            ]
        return []

    def expand(self, words: tuple[str, ...]) -> list[str]:
        """The words with patterns replaced by the files they match, as the shell does."""
        return [
            name
            for word in words
            for name in (
                sorted(str(p.relative_to(self.folder)) for p in self.folder.glob(word))
                if "*" in word and not word.startswith("-")
                else [word]
            )
        ]

    def shrink(self, words: list[str]) -> list[str]:
        """The same command with less work."""
        script = next((w for w in words if w.startswith(("tools/", "demo/"))), "")
        if script == "tools/synthesize.py":
            return small_rendering(words)
        if script in ("tools/train.py", "tools/dist_train.sh"):
            words = short_training(words, self.folder)
        if "dist_" in script:
            at = words.index(script) + 2
            words = [*words[:at], "2", *words[at + 1 :]]
            if "--device" not in words:
                words = [*words[: at + 1], "--device", "cpu", *words[at + 1 :]]
        if script.endswith(("sot_siamrpn_param_search.py", "dist_sot_siamrpn_search.sh")):
            words = [one_value(word) for word in words]
        if script == "tools/analysis/benchmark.py":
            words = [*words, "--max-images", "6"]
        return words


def quick_start(command: Command, script: str) -> str:
    """Name of the quick-start config that a command runs with."""
    for word in command.words:
        if word.startswith(f"{QUICK}/"):
            return Path(word).stem
        for folder, name in PUBLISHED:
            if word.startswith(f"{folder}/"):
                return PROJECTS.get(name, name)
    project = command.project or TASK_OF_SCRIPT.get(script, "mot")
    return PROJECTS[project]


def small_rendering(words: list[str]) -> list[str]:
    """A few small frames, over those of an earlier rendering."""
    from mmtrack.datasets.synthetic.layouts import LAYOUTS

    layout = words[words.index("tools/synthesize.py") + 1]
    words = [*words, "--force"]
    known = {field.name for field in fields(LAYOUTS[layout].options)}
    small = {**SMALL, **SMALL_LAYOUTS.get(layout, {})}
    for name, value in small.items():
        option = "--" + name.replace("_", "-")
        if option in words:
            at = words.index(option)
            if value != SMALL["size"]:
                value = min(value, int(words[at + 1]))
            words = words[:at] + words[at + 2 :]
        if name in known:
            text = f"{value[0]}x{value[1]}" if isinstance(value, tuple) else str(value)
            words = [*words, option, text]
    return words


def short_training(words: list[str], folder: Path) -> list[str]:
    """One epoch without processes for loading."""
    path = next(word for word in words if word.endswith(".py") and "tools/" not in word)
    short = dict(SHORT)
    if "samples_per_epoch" in mmcv.Config.fromfile(str(folder / path)).data:
        short.update({"data.samples_per_epoch": 4, "data.samples_per_gpu": 2})
    options = [f"{key}={value}" for key, value in short.items()]
    if "--cfg-options" in words:
        at = words.index("--cfg-options") + 1
        return [*words[:at], *options, *words[at:]]
    return [*words, "--cfg-options", *options]


def one_value(word: str) -> str:
    """A range of settings, start, stop and step, with its first value alone."""
    if not re.fullmatch(r"[\d.]+,[\d.]+,[\d.]+", word):
        return word
    start = float(word.split(",")[0])
    return f"{start},{start + 0.01},1"


def write_video(path: Path, frames: Path) -> None:
    """Three frames of noise as a video and as images."""
    frames.mkdir()
    rng = np.random.default_rng(0)
    video = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 25, (1280, 720))
    for number in range(3):
        image = cv2.resize(rng.integers(0, 255, (45, 80, 3), np.uint8), (1280, 720))
        cv2.imwrite(str(frames / f"{number:06d}.jpg"), image)
        video.write(image)
    video.release()
