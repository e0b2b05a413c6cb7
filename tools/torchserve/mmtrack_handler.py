"""The class that TorchServe calls; ``mmtrack2torchserve.py`` puts this file into the archive."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import torch

from mmtrack.apis import init_model
from mmtrack.apis.environment import prepare_for_inference, select_device
from mmtrack.apis.serving import CONFIG_FILE, LIMITS_SECTION, VideoService
from mmtrack.apis.serving_request import Limits
from mmtrack.apis.video_task import try_out
from mmtrack.core.utils import tune_cpu_inference

logger = logging.getLogger(__name__)


class MMTrackHandler:
    """Answers requests of TorchServe with a video model.

    Bad requests get a status of 4xx and a message, and leave no trace; what else goes wrong is an
    error of the model, which TorchServe logs and answers with 503.
    """

    def __init__(self) -> None:
        self._service: VideoService | None = None

    def initialize(self, context: Any) -> None:
        """Build the model of the archive.

        Args:
            context: ``ts.context.Context`` of the worker.
        """
        properties = context.system_properties
        folder = Path(properties["model_dir"])
        on_gpu = torch.cuda.is_available() and properties.get("gpu_id") is not None
        device = select_device(f"cuda:{properties['gpu_id']}" if on_gpu else "cpu")
        if not on_gpu:
            logger.info(tune_cpu_inference())
        weights = folder / context.manifest["model"]["serializedFile"]
        model = init_model(str(folder / CONFIG_FILE), str(weights), device)
        model = prepare_for_inference(model, device)
        try_out(model)
        settings = context.model_yaml_config or {}
        limits = Limits.from_dict(settings.get(LIMITS_SECTION) or {})
        self._service = VideoService(model, limits)
        logger.info("%s is ready on %s, %s", type(model).__name__, device, limits)

    def handle(self, data: list[dict[str, Any]], context: Any) -> list[bytes]:
        """Answer the requests of a batch.

        Args:
            data: Fields of each request.
            context: Receives status and content type of each answer.

        Returns:
            Bodies of the answers.
        """
        bodies = []
        for index, fields in enumerate(data):
            answer = self._service.answer(fields, context.get_all_request_header(index))
            if answer.status != 200:
                logger.info("refused with %d: %s", answer.status, answer.body.decode())
            context.set_response_status(answer.status, idx=index)
            context.set_response_content_type(index, answer.content_type)
            bodies.append(answer.body)
        return bodies
