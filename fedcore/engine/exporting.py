"""Writing a model of a run for use elsewhere."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from fedcore.engine.buffers import model_in_use
from fedcore.engine.context import RunContext
from fedcore.errors import ModelError, StorageError
from fedcore.models import AdaptedModel
from fedcore.models.exported import export_model
from fedcore.models.lora import ADAPTER_FOLDER
from fedcore.params import Params
from fedcore.state import RunState


def write_model(
    context: RunContext, state: RunState, folder: Path, client_id: int | None
) -> list[Path]:
    """Write a model to a folder and return the files; see ``Engine.export_model``.

    Raises:
        ModelError: If there is no such model.
        StorageError: If they cannot be written.
    """
    params = _model_of(context, state, client_id)
    model = context.method_of(client_id or 0).context.model
    adapted = model if isinstance(model, AdaptedModel) else None
    try:
        files = export_model(
            folder,
            params if adapted is None else adapted.whole(params),
            spec=context.model_spec_of(client_id),
            data=context.data_shape,
            preparation=context.dataset.preparation,
            facts={
                "class_names": list(context.dataset.class_names),
                "dataset": context.spec.dataset.model_dump(mode="json"),
                "spec_digest": context.spec.digest(),
                "client_id": client_id,
                "rounds": state.round_index,
                "metrics": _finite(state.metrics),
            },
        )
        if adapted is not None:
            files += adapted.describe_adapter(folder / ADAPTER_FOLDER, params)
    except OSError as error:
        raise StorageError(f"cannot write to {folder}: {error.strerror or error}") from error
    return files


def _model_of(context: RunContext, state: RunState, client_id: int | None) -> Params:
    """Return the global model, or the one of a client."""
    method = context.method
    if client_id is None:
        weights = method.evaluate_model(state)
        if weights is None:
            raise ModelError(
                f"{context.spec.algorithm.title} makes no global model",
                field="algorithm.kind",
                fix="Export the model of a client.",
            )
        return model_in_use(weights, state)
    if not method.has_personal_models or not 0 <= client_id < context.partition.num_clients:
        raise ModelError(
            f"client {client_id} has no model of its own",
            fix="Export the global model, or use a method with personal models.",
        )
    return model_in_use(context.method_of(client_id).personal_model(state, client_id), state)


def _finite(metrics: Mapping[str, float]) -> dict[str, float]:
    """Return the metrics that JSON can hold."""
    return {name: value for name, value in metrics.items() if math.isfinite(value)}
