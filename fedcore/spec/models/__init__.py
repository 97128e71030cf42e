"""Models and what of them is trained."""

from fedcore.spec.models.base import ModelSpec
from fedcore.spec.models.peft import BiasSpec, FullTrainingSpec, HeadSpec, LoraSpec, PeftSpec

# Screens list the kinds in the order of their definition, simple ones first.
# isort: off
from fedcore.spec.models.vector import LinearSpec, MlpSpec
from fedcore.spec.models.vision import CnnSpec, ResNetSpec, VitSpec
from fedcore.spec.models.text import CharLstmSpec, DanSpec, HuggingFaceModelSpec, TinyGptSpec

# isort: on

__all__ = [
    "BiasSpec",
    "CharLstmSpec",
    "CnnSpec",
    "DanSpec",
    "FullTrainingSpec",
    "HeadSpec",
    "HuggingFaceModelSpec",
    "LinearSpec",
    "LoraSpec",
    "MlpSpec",
    "ModelSpec",
    "PeftSpec",
    "ResNetSpec",
    "TinyGptSpec",
    "VitSpec",
]
