"""Models as pure functions of their parameters.

Three lines load a model that a run has exported::

    from fedcore.models import load_exported
    model = load_exported("folder")
    logits = model(model.prepare(raw_inputs))
"""

# Importing a module registers its model.
from fedcore.models import (  # noqa: F401
    char_lstm,
    cnn,
    dan,
    huggingface,
    linear,
    lora,
    mlp,
    resnet,
    tiny_gpt,
    vit,
)
from fedcore.models.adapted import ADAPTATIONS, AdaptedModel, adapt
from fedcore.models.base import MODELS, Model, build_model
from fedcore.models.exported import ExportedModel, load_exported

__all__ = [
    "ADAPTATIONS",
    "MODELS",
    "AdaptedModel",
    "ExportedModel",
    "Model",
    "adapt",
    "build_model",
    "load_exported",
]
