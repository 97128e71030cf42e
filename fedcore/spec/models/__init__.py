"""Models and what of them is trained."""

from fedcore.spec.models.base import ModelSpec
from fedcore.spec.models.peft import FullTrainingSpec, PeftSpec

# Screens list the kinds in the order of their definition, simple ones first.
# isort: off
from fedcore.spec.models.vector import LinearSpec, MlpSpec
from fedcore.spec.models.vision import CnnSpec, ResNetSpec, VitSpec
from fedcore.spec.models.text import CharLstmSpec, DanSpec, HuggingFaceModelSpec, TinyGptSpec

# isort: on

__all__ = [
    "CharLstmSpec",
    "CnnSpec",
    "DanSpec",
    "FullTrainingSpec",
    "HuggingFaceModelSpec",
    "LinearSpec",
    "MlpSpec",
    "ModelSpec",
    "PeftSpec",
    "ResNetSpec",
    "TinyGptSpec",
    "VitSpec",
]
