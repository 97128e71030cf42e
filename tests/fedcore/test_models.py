"""Models: shapes, starts, and that what they compute is what torch's modules compute."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from fedcore.data.dataset import Scaling
from fedcore.errors import ModelError
from fedcore.models import Model, build_model, load_exported
from fedcore.models.base import DataShape, initial_params, layout_of
from fedcore.models.exported import export_model
from fedcore.rng import Purpose, rng
from fedcore.spec.data import DatasetInfo
from fedcore.spec.models import ModelSpec
from fedcore.spec.tasks import InputKind, TaskName

DIGITS = DataShape((1, 8, 8), 10)
MNIST = DataShape((1, 28, 28), 10)
CIFAR = DataShape((3, 32, 32), 10)
FLAT = DataShape((60,), 4)
LEAF: dict[str, Any] = {"kind": "cnn"}
CASES: list[tuple[dict[str, Any], DataShape]] = [
    ({"kind": "linear"}, DIGITS),
    ({"kind": "linear"}, FLAT),
    ({"kind": "mlp"}, MNIST),
    ({"kind": "mlp", "hidden": [7, 5, 3]}, FLAT),
    ({"kind": "cnn", "channels": [4, 8], "hidden": 16}, DIGITS),
    ({"kind": "cnn", "channels": [4, 8], "hidden": 16}, CIFAR),
    ({"kind": "cnn", "channels": [3], "hidden": 6}, DataShape((2, 9, 5), 3)),
]


def spec_of(settings: dict[str, Any]) -> ModelSpec:
    return ModelSpec.kinds()[settings["kind"]].model_validate(settings)


def build(settings: dict[str, Any], data: DataShape) -> Model:
    return build_model(spec_of(settings), data)


def start(model: Model, seed: int = 0) -> Mapping[str, Tensor]:
    return initial_params(model, rng(seed, Purpose.MODEL_INIT))


def inputs(data: DataShape, count: int = 6) -> Tensor:
    return torch.randn(count, *data.input_shape, generator=rng(1, Purpose.DATASET))


@pytest.mark.parametrize(("settings", "data"), CASES)
def test_a_model_maps_inputs_to_logits(settings: dict[str, Any], data: DataShape) -> None:
    model = build(settings, data)
    assert model.apply(start(model), inputs(data)).shape == (6, data.num_classes)


@pytest.mark.parametrize(("settings", "data"), CASES)
def test_the_spec_knows_the_number_of_parameters(settings: dict[str, Any], data: DataShape) -> None:
    shape = data.input_shape
    kind = InputKind.IMAGE if len(shape) == 3 else InputKind.VECTOR
    info = DatasetInfo(TaskName.CLASSIFICATION, kind, shape, data.num_classes, 1, 1)
    assert layout_of(build(settings, data)).total == spec_of(settings).num_parameters(info)


def test_leaf_has_the_size_of_the_paper() -> None:
    """Two 5x5 convolutions, 2,048 units: 6.6 million parameters on 28x28 images and 62 classes."""
    total = layout_of(build(LEAF, DataShape((1, 28, 28), 62))).total
    assert total == 32 * 26 + 64 * (32 * 25 + 1) + 2048 * (64 * 49 + 1) + 62 * 2049


@pytest.mark.parametrize(("settings", "data"), CASES)
def test_every_parameter_gets_a_gradient(settings: dict[str, Any], data: DataShape) -> None:
    model = build(settings, data)
    params = {name: tensor.clone().requires_grad_() for name, tensor in start(model).items()}
    loss = model.apply(params, inputs(data, 64)).square().sum()
    for name, grad in zip(params, torch.autograd.grad(loss, list(params.values())), strict=True):
        assert float(grad.abs().sum()) > 0, name


@pytest.mark.parametrize(("settings", "data"), CASES)
def test_a_model_can_be_stacked_over_clients(settings: dict[str, Any], data: DataShape) -> None:
    model = build(settings, data)
    stack = [start(model, seed) for seed in range(3)]
    stacked = {name: torch.stack([params[name] for params in stack]) for name in stack[0]}
    together = torch.func.vmap(model.apply, in_dims=(0, None))(stacked, inputs(data))
    for params, outputs in zip(stack, together, strict=True):
        torch.testing.assert_close(outputs, model.apply(params, inputs(data)))


@pytest.mark.parametrize(("settings", "data"), CASES)
def test_a_start_follows_from_the_seed(settings: dict[str, Any], data: DataShape) -> None:
    model = build(settings, data)
    first, again, other = (initial_params(model, rng(s, Purpose.MODEL_INIT)) for s in (0, 0, 1))
    assert torch.equal(first.flat, again.flat)
    assert not torch.equal(first.flat, other.flat)


def test_a_start_has_the_law_of_torch_layers() -> None:
    model = build({"kind": "mlp", "hidden": [300]}, FLAT)
    params = start(model)
    with torch.random.fork_rng():
        layer = nn.Linear(60, 300)
    for name, other in (("weight", layer.weight), ("bias", layer.bias)):
        ours = params[f"layers.0.{name}"]
        assert ours.abs().max() <= 1 / 60**0.5
        torch.testing.assert_close(ours.std(), other.std(), rtol=0.15, atol=0)


def test_an_mlp_computes_what_modules_compute() -> None:
    model = build({"kind": "mlp", "hidden": [7, 5]}, FLAT)
    params = start(model)
    module = nn.Sequential(
        nn.Flatten(), nn.Linear(60, 7), nn.ReLU(), nn.Linear(7, 5), nn.ReLU(), nn.Linear(5, 4)
    )
    load_into(module, params)
    assert torch.equal(model.apply(params, inputs(FLAT)), module(inputs(FLAT)))


def test_a_cnn_computes_what_modules_compute() -> None:
    """Pooling before ReLU, as we do, or after it, as written in LEAF, is the same."""
    model = build({"kind": "cnn", "channels": [4, 8], "hidden": 16}, MNIST)
    params = start(model)
    module = nn.Sequential(
        nn.Conv2d(1, 4, 5, padding="same"), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(4, 8, 5, padding="same"), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(8 * 49, 16), nn.ReLU(), nn.Linear(16, 10),
    )  # fmt: skip
    load_into(module, params)
    torch.testing.assert_close(model.apply(params, inputs(MNIST)), module(inputs(MNIST)))


def load_into(module: nn.Module, params: Mapping[str, Tensor]) -> None:
    with torch.no_grad():
        for own, ours in zip(module.parameters(), params.values(), strict=True):
            own.copy_(ours)


def test_a_cnn_needs_images() -> None:
    with pytest.raises(ModelError) as caught:
        build(LEAF, FLAT)
    assert caught.value.field == "model.kind"


def test_a_cnn_needs_images_that_survive_its_pooling() -> None:
    with pytest.raises(ModelError) as caught:
        build({"kind": "cnn", "channels": [4, 4, 4, 4]}, DIGITS)
    assert caught.value.field == "model.channels"


class TestExported:
    def export(self, folder: Path) -> Mapping[str, Tensor]:
        settings = {"kind": "mlp", "hidden": [5]}
        model = build(settings, FLAT)
        params = initial_params(model, rng(0, Purpose.MODEL_INIT))
        preparation = Scaling(255.0, 0.25, 0.5)
        export_model(
            folder,
            params,
            spec=spec_of(settings),
            data=FLAT,
            preparation=preparation,
            facts={"from": "here"},
        )
        return params

    def test_a_model_is_an_ordinary_module_with_the_names_of_the_file(self, tmp_path: Path) -> None:
        from safetensors.torch import load_file  # noqa: PLC0415

        params = self.export(tmp_path)
        module = load_exported(tmp_path)
        assert isinstance(module, nn.Module)
        assert not module.training
        assert list(module.state_dict()) == list(params)
        for name, tensor in load_file(tmp_path / "model.safetensors").items():
            assert torch.equal(tensor, module.state_dict()[name])
        module.load_state_dict(load_file(tmp_path / "model.safetensors"))
        prepared = module.prepare(torch.tensor([[0, 255]], dtype=torch.uint8))
        assert prepared.tolist() == [[-0.5, 1.5]]

    def test_a_description_that_does_not_fit_is_refused(self, tmp_path: Path) -> None:
        self.export(tmp_path)
        path = tmp_path / "model.json"
        good = json.loads(path.read_text())
        for change in (
            {"num_classes": 5},
            {"model": {"kind": "mlp", "hidden": [6]}},
            {"model": {"kind": "something"}},
            {"model": 3},
            {"preparation": {"kind": "scaling", "offset": 2}},
            {"preparation": {"kind": "code", "path": "os.system"}},
        ):
            path.write_text(json.dumps({**good, **change}))
            with pytest.raises(ModelError):
                load_exported(tmp_path)
