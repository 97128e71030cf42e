"""Every built-in model: its size, its shape, and that it is a function torch can transform."""

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from fedcore.errors import ModelError
from fedcore.models import Model, build_model
from fedcore.models.base import (
    DataShape,
    FeatureModel,
    TrainingTensors,
    initial_buffers,
    initial_params,
    layout_of,
)
from fedcore.models.blocks import batch_norm
from fedcore.models.char_lstm import _Layer, _run_fused, _run_step_by_step
from fedcore.rng import Purpose, rng
from fedcore.spec.data import DatasetInfo
from fedcore.spec.models import ModelSpec
from fedcore.spec.tasks import InputKind, TaskName
from fedcore.tasks import IGNORED, make_task

GREY = DataShape((1, 8, 8), 10)
COLOUR = DataShape((3, 12, 8), 4)
TEXT = DataShape((6,), 5, TaskName.CLASSIFICATION, 20)
NEXT = DataShape((6,), 20, TaskName.NEXT_TOKEN, 20)

MODELS: list[tuple[dict[str, Any], DataShape]] = [
    ({"kind": "linear"}, GREY),
    ({"kind": "mlp", "hidden": [7, 5]}, COLOUR),
    ({"kind": "cnn", "channels": [4, 6], "hidden": 9}, COLOUR),
    ({"kind": "resnet", "depth": 8, "width": 8}, GREY),
    ({"kind": "resnet", "depth": 14, "width": 4, "groups": 2}, COLOUR),
    ({"kind": "resnet", "depth": 8, "width": 6, "norm": "batch"}, COLOUR),
    ({"kind": "vit", "patch_size": 4, "dim": 12, "depth": 2, "heads": 3}, COLOUR),
    ({"kind": "char_lstm", "hidden": 11}, NEXT),
    ({"kind": "char_lstm", "embedding": 3, "hidden": 5, "layers": 1}, NEXT),
    ({"kind": "tiny_gpt", "dim": 12, "depth": 2, "heads": 3}, NEXT),
    ({"kind": "dan", "embedding": 7, "hidden": [5]}, TEXT),
    ({"kind": "dan", "embedding": 7, "hidden": []}, TEXT),
]


def spec_of(settings: dict[str, Any]) -> ModelSpec:
    return ModelSpec.kinds()[settings["kind"]].model_validate(settings)


def build(settings: dict[str, Any], data: DataShape) -> tuple[Model, dict[str, Tensor]]:
    model = build_model(spec_of(settings), data)
    return model, dict(initial_params(model, rng(0, Purpose.MODEL_INIT)))


def inputs(data: DataShape, count: int = 5, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    if data.num_tokens:
        shape = (count, *data.input_shape)
        return torch.randint(0, data.num_tokens, shape, generator=generator).int()
    return torch.randn(count, *data.input_shape, generator=generator)


def targets(data: DataShape, count: int = 5) -> Tensor:
    shape = (count, *data.input_shape) if data.task is TaskName.NEXT_TOKEN else (count,)
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, data.num_classes, shape, generator=generator)


def info_of(data: DataShape) -> DatasetInfo:
    kind = InputKind.TEXT if data.num_tokens else InputKind.IMAGE
    return DatasetInfo(
        data.task, kind, data.input_shape, data.num_classes, 100, 10, num_tokens=data.num_tokens
    )


@pytest.mark.parametrize(("settings", "data"), MODELS)
def test_the_spec_knows_the_number_of_parameters(settings: dict[str, Any], data: DataShape) -> None:
    model, _ = build(settings, data)
    assert layout_of(model).total == spec_of(settings).num_parameters(info_of(data))


def test_a_resnet_20_has_the_size_of_the_paper() -> None:
    """Table 6 of He et al. says 0.27 M for CIFAR-10, with shortcuts that have no weights."""
    size = spec_of({"kind": "resnet"}).num_parameters(info_of(DataShape((3, 32, 32), 10)))
    shortcuts = 16 * 32 + 32 * 64 + 2 * (32 + 64)
    assert size == 269_722 + shortcuts


@pytest.mark.parametrize(("settings", "data"), MODELS)
def test_outputs_have_one_number_per_class(settings: dict[str, Any], data: DataShape) -> None:
    model, params = build(settings, data)
    outputs = model.apply(params, inputs(data))
    tokens = data.input_shape if data.task is TaskName.NEXT_TOKEN else ()
    assert outputs.shape == (5, *tokens, data.num_classes)
    assert torch.isfinite(outputs).all()
    assert float(outputs.detach().std()) > 1e-3


@pytest.mark.parametrize(("settings", "data"), MODELS)
def test_a_stack_of_clients_gives_the_gradients_of_each(
    settings: dict[str, Any], data: DataShape
) -> None:
    model, first = build(settings, data)
    task = make_task(data.task, data.num_classes)
    generator = torch.Generator().manual_seed(5)
    second = {
        name: part + 0.01 * torch.randn(part.shape, generator=generator)
        for name, part in first.items()
    }
    y = targets(data)

    def loss(params: Mapping[str, Tensor], x: Tensor) -> Tensor:
        return task.loss(model.apply(params, x), y)

    stacked = {name: torch.stack([first[name], second[name]]) for name in first}
    x = torch.stack([inputs(data, seed=0), inputs(data, seed=1)])
    found = torch.func.vmap(torch.func.grad(loss))(stacked, x)
    for number, params in enumerate((first, second)):
        leaves = {name: part.clone().requires_grad_() for name, part in params.items()}
        expected = torch.autograd.grad(loss(leaves, x[number]), list(leaves.values()))
        for name, grad in zip(leaves, expected, strict=True):
            assert torch.allclose(found[name][number], grad, atol=2e-5), name


@pytest.mark.parametrize(("settings", "data"), MODELS)
def test_a_model_starts_as_its_seed_says(settings: dict[str, Any], data: DataShape) -> None:
    model, params = build(settings, data)
    again = initial_params(model, rng(0, Purpose.MODEL_INIT))
    other = initial_params(model, rng(1, Purpose.MODEL_INIT))
    assert all(torch.equal(params[name], again[name]) for name in params)
    assert not torch.equal(again.flat, other.flat)


@pytest.mark.parametrize(("settings", "data"), MODELS)
def test_features_are_what_the_last_layer_sees(settings: dict[str, Any], data: DataShape) -> None:
    model, params = build(settings, data)
    if not isinstance(model, FeatureModel):
        pytest.skip("shows no features")
    features = model.features(params, inputs(data))
    weight = next(params[name] for name in reversed(params) if name.endswith("weight"))
    assert features.shape == (5, weight.shape[1])


class TestText:
    @pytest.mark.parametrize("kind", ["char_lstm", "tiny_gpt"])
    def test_no_token_sees_a_later_one(self, kind: str) -> None:
        model, params = build({"kind": kind}, NEXT)
        x = inputs(NEXT)
        changed = x.clone()
        changed[:, 4:] = (changed[:, 4:] + 1) % NEXT.num_tokens
        before, after = model.apply(params, x), model.apply(params, changed)
        assert torch.allclose(before[:, :4], after[:, :4], atol=1e-6)
        assert not torch.allclose(before[:, 4:], after[:, 4:], atol=1e-3)

    @pytest.mark.parametrize("kind", ["char_lstm", "tiny_gpt"])
    def test_padding_reaches_no_loss(self, kind: str) -> None:
        model, params = build({"kind": kind}, NEXT)
        task = make_task(NEXT.task, NEXT.num_classes)
        x, y = inputs(NEXT), targets(NEXT)
        short, wanted = x.clone(), y.clone()
        short[:, 4:], wanted[:, 4:] = -1, IGNORED
        alone = task.loss(model.apply(params, x[:, :4]), y[:, :4])
        assert torch.allclose(task.loss(model.apply(params, short), wanted), alone, atol=1e-6)

    def test_order_and_padding_do_not_count_for_an_average(self) -> None:
        model, params = build({"kind": "dan"}, TEXT)
        x = inputs(TEXT)
        assert torch.allclose(model.apply(params, x), model.apply(params, x.flip(1)), atol=1e-6)
        padded = torch.cat([x, torch.full((5, 3), -1, dtype=torch.int32)], dim=1)
        assert torch.allclose(model.apply(params, x), model.apply(params, padded), atol=1e-6)
        empty = torch.full((1, 6), -1, dtype=torch.int32)
        assert torch.isfinite(model.apply(params, empty)).all()

    def test_the_fused_lstm_and_the_written_one_agree(self) -> None:
        _, params = build({"kind": "char_lstm", "hidden": 7}, NEXT)
        layers = [_Layer.of(params, layer) for layer in range(2)]
        x = torch.randn(3, 6, 8, generator=torch.Generator().manual_seed(0))
        assert torch.allclose(_run_fused(layers, x), _run_step_by_step(layers, x), atol=1e-6)


class TestNorms:
    def test_with_group_norm_no_image_touches_another(self) -> None:
        model, params = build({"kind": "resnet", "depth": 8, "width": 8}, GREY)
        x = inputs(GREY)
        alone = torch.cat([model.apply(params, image[None]) for image in x])
        assert torch.allclose(model.apply(params, x), alone, atol=1e-5)
        assert initial_buffers(model) is None

    def test_batch_norm_is_torchs_own(self) -> None:
        reference = nn.BatchNorm2d(4)
        params = TrainingTensors(
            {
                "n.weight": torch.rand(4),
                "n.bias": torch.rand(4),
                "n.running_mean": torch.zeros(4),
                "n.running_var": torch.ones(4),
            }
        )
        reference.load_state_dict(
            {name[2:]: part for name, part in params.items()}
            | {"num_batches_tracked": torch.tensor(0)}
        )
        for seed in range(3):
            x = 3 * inputs(DataShape((4, 5, 5), 1), seed=seed) + 1
            found = batch_norm(params, "n", x, is_training=True)
            assert torch.allclose(found, reference(x), atol=1e-6)
        moved = dict(reference.named_buffers())
        for name in ("running_mean", "running_var"):
            assert torch.allclose(params[f"n.{name}"], moved[name], atol=1e-6)
        reference.eval()
        assert torch.allclose(batch_norm(params, "n", x, is_training=False), reference(x))

    def test_only_training_moves_the_running_statistics(self) -> None:
        model, params = build({"kind": "resnet", "depth": 8, "norm": "batch"}, GREY)
        buffers = initial_buffers(model)
        assert buffers is not None
        kept = {name: tensor.clone() for name, tensor in buffers.items()}
        tested = model.apply({**params, **kept}, inputs(GREY))
        assert all(torch.equal(kept[name], buffers[name]) for name in kept)
        trained = model.apply(TrainingTensors({**params, **kept}), inputs(GREY))
        assert not any(torch.equal(kept[name], buffers[name]) for name in kept)
        assert not torch.allclose(tested, trained)

    def test_normalising_layers_can_be_told_from_others(self) -> None:
        model, params = build({"kind": "resnet", "depth": 8}, GREY)
        norms = {name for name, info in model.parameters().items() if info.is_norm}
        assert norms == {name for name in params if "norm" in name}
        assert len(norms) == 2 * 9  # one at the start, two per block, two in shortcuts


@pytest.mark.parametrize(
    ("settings", "data", "field"),
    [
        ({"kind": "resnet", "width": 12}, GREY, "model.groups"),
        ({"kind": "resnet"}, DataShape((1, 3, 3), 2), "model.kind"),
        ({"kind": "vit", "patch_size": 3}, GREY, "model.patch_size"),
        ({"kind": "vit", "dim": 10, "heads": 3}, GREY, "model.heads"),
        ({"kind": "tiny_gpt", "dim": 10, "heads": 3}, NEXT, "model.heads"),
        ({"kind": "cnn", "channels": [2, 2, 2, 2]}, GREY, "model.channels"),
    ],
)
def test_what_does_not_fit_is_explained(
    settings: dict[str, Any], data: DataShape, field: str
) -> None:
    with pytest.raises(ModelError) as caught:
        build_model(spec_of(settings), data)
    assert caught.value.field == field
    assert caught.value.fix
