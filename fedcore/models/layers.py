"""Which tensors of a model make up which layer, whatever the model is."""

from __future__ import annotations

from collections.abc import Iterable

from fedcore.models.base import BufferedModel, Model

_RUNNING_MEAN = "running_mean"


def layer_of(name: str) -> str:
    """Return the layer that a parameter or buffer belongs to: its name without the last part."""
    return name.rpartition(".")[0]


def tensor_names(model: Model) -> tuple[str, ...]:
    """Return the names of all parameters and buffers of a model."""
    buffers = model.buffers() if isinstance(model, BufferedModel) else {}
    return (*model.parameters(), *buffers)


def last_layers(model: Model, count: int) -> frozenset[str]:
    """Return the tensors of the last ``count`` layers, in the order of the model's parameters."""
    layers = list(dict.fromkeys(layer_of(name) for name in model.parameters()))
    return of_layers(model, layers[len(layers) - count :] if count < len(layers) else layers)


def norm_layers(model: Model, *, only_batch: bool) -> frozenset[str]:
    """Return the tensors of the layers that normalise, statistics included.

    Args:
        model: The model.
        only_batch: Leave out layers that keep no running statistics: layer norm and group norm.
    """
    if only_batch:
        names = [name for name in tensor_names(model) if name.endswith(f".{_RUNNING_MEAN}")]
    else:
        names = [name for name, info in model.parameters().items() if info.is_norm]
    return of_layers(model, {layer_of(name) for name in names})


def of_layers(model: Model, layers: Iterable[str]) -> frozenset[str]:
    """Return all tensors of some layers."""
    chosen = set(layers)
    return frozenset(name for name in tensor_names(model) if layer_of(name) in chosen)
