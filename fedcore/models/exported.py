"""A trained model as two files: the parameters, and what is needed to use them again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from torch import Tensor, nn

from fedcore.data.dataset import Preparation
from fedcore.data.preparation import preparation_from_json
from fedcore.errors import ModelError
from fedcore.files import write_atomically
from fedcore.models.base import (
    DataShape,
    DescribedModel,
    Model,
    buffer_layout_of,
    build_model,
    layout_of,
)
from fedcore.params import Params
from fedcore.spec.models import ModelSpec
from fedcore.spec.tasks import TaskName
from fedcore.wire.container import header_bytes, info_of, read, tensor_bytes

PARAMETERS_FILE = "model.safetensors"
DESCRIPTION_FILE = "model.json"
_FORMAT = 1


class ExportedModel(nn.Module):
    """A trained model as an ordinary torch module; its ``state_dict`` has the names of the file."""

    def __init__(
        self, model: Model, params: Mapping[str, Tensor], preparation: Preparation
    ) -> None:
        super().__init__()
        self._model = model
        self._names = tuple(params)
        self.preparation = preparation
        trained = model.parameters()
        for name, tensor in params.items():
            _register(self, name, tensor.clone(), is_trained=name in trained)

    def prepare(self, raw: Any) -> Tensor:
        """Return model inputs for raw ones.

        Args:
            raw: Pixels from 0 to 255 as a tensor, a list of texts, or the columns of a table, by
                what the model was trained on.
        """
        return self.preparation.apply(raw)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits of shape (n, classes) for prepared inputs of shape (n, *input_shape)."""
        tensors = dict(self.named_parameters()) | dict(self.named_buffers())
        return self._model.apply({name: tensors[name] for name in self._names}, x)


def export_model(
    folder: Path,
    params: Params,
    *,
    spec: ModelSpec,
    data: DataShape,
    preparation: Preparation,
    facts: Mapping[str, Any],
) -> list[Path]:
    """Write ``model.safetensors`` and ``model.json`` and return their paths.

    Args:
        folder: Where to; made if missing.
        params: The trained parameters, and the buffers if there are any.
        spec: The model they belong to.
        data: Shape of the data it was trained on.
        preparation: How raw inputs became model inputs.
        facts: Where the model comes from, kept in ``model.json`` as it is.

    Raises:
        OSError: If it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: tensor.contiguous() for name, tensor in params.items()}
    header = header_bytes([info_of(*item) for item in tensors.items()], {"format": "pt"})
    parameters_path, description_path = folder / PARAMETERS_FILE, folder / DESCRIPTION_FILE
    write_atomically(parameters_path, [header, *map(tensor_bytes, tensors.values())])
    description = {
        "format": _FORMAT,
        "model": spec.model_dump(mode="json"),
        "input_shape": list(data.input_shape),
        "num_classes": data.num_classes,
        "task": data.task.value,
        "num_tokens": data.num_tokens,
        "preparation": preparation.to_json(),
        **facts,
    }
    text = json.dumps(description, indent=2, allow_nan=False) + "\n"
    write_atomically(description_path, [text.encode()])
    model = build_model(spec, data)
    others = model.describe(folder) if isinstance(model, DescribedModel) else []
    return [parameters_path, description_path, *others]


def load_exported(folder: str | Path) -> ExportedModel:
    """Return a model that a run has exported, ready to use.

    Raises:
        ModelError: If the two files do not describe one model.
        OSError: If they cannot be read.
    """
    text = (Path(folder) / DESCRIPTION_FILE).read_text(encoding="utf-8")
    tensors = dict(read((Path(folder) / PARAMETERS_FILE).read_bytes()))
    try:
        description = json.loads(text)
        spec = _model_spec(description["model"])
        data = DataShape(
            tuple(description["input_shape"]),
            int(description["num_classes"]),
            TaskName(description["task"]),
            int(description["num_tokens"]),
        )
        preparation = preparation_from_json(description["preparation"])
    except (KeyError, TypeError, ValueError, ValidationError) as error:
        raise ModelError(f"{DESCRIPTION_FILE} does not describe a model: {error}") from error
    model = build_model(spec, data)
    expected = [layout_of(model), buffer_layout_of(model)]
    shapes = {
        name: shape
        for layout in expected
        if layout is not None
        for name, shape in zip(layout.names, layout.shapes, strict=True)
    }
    if {name: tuple(tensor.shape) for name, tensor in tensors.items()} != shapes:
        raise ModelError(f"{PARAMETERS_FILE} does not fit the model in {DESCRIPTION_FILE}")
    return ExportedModel(model, {name: tensors[name] for name in shapes}, preparation).eval()


def _model_spec(content: Mapping[str, Any]) -> ModelSpec:
    return ModelSpec.kinds()[content["kind"]].model_validate(content)


def _register(module: nn.Module, name: str, tensor: Tensor, *, is_trained: bool) -> None:
    """Register a tensor with dots in its name, through nested modules as torch does."""
    *path, last = name.split(".")
    for part in path:
        children = dict(module.named_children())
        if part not in children:
            module.add_module(part, nn.Module())
        module = module.get_submodule(part)
    if is_trained:
        module.register_parameter(last, nn.Parameter(tensor))
    else:
        module.register_buffer(last, tensor)


__all__ = ["ExportedModel", "export_model", "load_exported"]
