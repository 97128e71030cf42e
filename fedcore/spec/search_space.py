"""What a search may try: ranges of settings, and the architectures that fit the data."""

from __future__ import annotations

from typing import Any

from fedcore.spec.paths import PathError, with_values
from fedcore.spec.run import RunSpec, check

#: Share of the training examples that a search is scored on, instead of the test examples.
VALIDATION = 0.2
_ADAPTIVE_LR = {"kind": "float", "low": 1e-4, "high": 3e-2, "log": True}
_RANGES: dict[str, dict[str, Any]] = {
    "local.lr": {"kind": "float", "low": 3e-3, "high": 1.0, "log": True},
    "local.momentum": {"kind": "choice", "values": [0.0, 0.5, 0.9]},
    "local.weight_decay": {"kind": "float", "low": 1e-6, "high": 1e-2, "log": True},
    "local.batch_size": {"kind": "choice", "values": [8, 16, 32, 64]},
    "local.epochs": {"kind": "int", "low": 1, "high": 10},
    "algorithm.server_lr": {"kind": "float", "low": 0.1, "high": 2.0, "log": True},
    "algorithm.mu": {"kind": "float", "low": 1e-3, "high": 1.0, "log": True},
    "partition.clients": {"kind": "int", "low": 5, "high": 50},
}
SEARCHABLE = frozenset(_RANGES)
_ARCHITECTURES: tuple[dict[str, Any], ...] = (
    {"kind": "linear"},
    {"kind": "mlp", "hidden": [64]},
    {"kind": "mlp", "hidden": [200, 200]},
    {"kind": "mlp", "hidden": [400, 200]},
    {"kind": "cnn", "channels": [8, 16], "hidden": 64},
    {"kind": "cnn", "channels": [16, 32], "hidden": 128},
    {"kind": "cnn", "channels": [32, 64], "hidden": 128},
    {"kind": "dan", "embedding": 64, "hidden": [128]},
    {"kind": "dan", "embedding": 128, "hidden": [256]},
    {"kind": "char_lstm", "hidden": 128, "layers": 1},
    {"kind": "char_lstm", "hidden": 256, "layers": 2},
    {"kind": "tiny_gpt", "dim": 64, "depth": 2, "heads": 4},
    {"kind": "tiny_gpt", "dim": 96, "depth": 3, "heads": 4},
)


def search_space(document: dict[str, Any], subjects: list[str]) -> dict[str, dict[str, Any]]:
    """Return the range of each setting, as a sweep's ``search.parameters`` takes it.

    Args:
        document: The spec that all trials start from.
        subjects: Paths of settings; ``model`` for the architecture.

    Returns:
        Ranges by path; a subject that the spec has no setting for is left out.
    """
    found = {}
    for subject in subjects:
        values = _architectures(document) if subject == "model" else _range(document, subject)
        if values is not None:
            found[subject] = values
    return found


def _architectures(document: dict[str, Any]) -> dict[str, Any] | None:
    fitting = [each for each in _ARCHITECTURES if _is_valid(document, {"model": each})]
    return {"kind": "choice", "values": fitting} if len(fitting) > 1 else None


def _range(document: dict[str, Any], path: str) -> dict[str, Any] | None:
    values = _RANGES[path]
    if path == "local.lr" and RunSpec.model_validate(document).local.optimizer != "sgd":
        values = _ADAPTIVE_LR
    ends = values["values"] if values["kind"] == "choice" else [values["low"], values["high"]]
    return values if all(_is_valid(document, {path: end}) for end in ends) else None


def _is_valid(document: dict[str, Any], values: dict[str, Any]) -> bool:
    try:
        return check(with_values(document, values)).spec is not None
    except PathError:
        return False
