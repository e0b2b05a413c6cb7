"""Loggers that need packages of their own: found missing before a training starts."""

from __future__ import annotations

import importlib.util

import mmcv

# Hook in log_config: module it imports, and what pip calls it.
PACKAGES = {
    "TensorboardLoggerHook": ("tensorboard", "tensorboard"),
    "WandbLoggerHook": ("wandb", "wandb"),
    "MlflowLoggerHook": ("mlflow", "mlflow"),
    "DvcliveLoggerHook": ("dvclive", "dvclive"),
    "ClearMLLoggerHook": ("clearml", "clearml"),
    "NeptuneLoggerHook": ("neptune", "neptune"),
}


def require_loggers(cfg: mmcv.Config) -> None:
    """Check that the packages of all loggers in ``cfg.log_config`` are installed.

    Raises:
        ImportError: one is not; the message names the hook and the command that installs it.
    """
    hooks = (cfg.get("log_config") or {}).get("hooks") or []
    for number, hook in enumerate(hooks):
        name = str(hook.get("type"))
        module, package = PACKAGES.get(name, (None, None))
        if module is not None and importlib.util.find_spec(module) is None:
            raise ImportError(
                f"log_config.hooks[{number}] ({name}) needs the package {package}, which is not "
                f"installed. Run: pip install {package}   or take the hook out of the config"
            )
