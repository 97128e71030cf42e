"""Runs that train a part of a model: what is trained, sent, kept still and exported."""

from pathlib import Path
from typing import Any

import pytest
import torch

from fedcore.engine import Engine
from fedcore.engine.context import RunContext, build_context, initial_state
from fedcore.environment import Folders
from fedcore.errors import ModelError
from fedcore.models import AdaptedModel, load_exported
from fedcore.models.base import initial_buffers, initial_params
from fedcore.models.lora import lora_of
from fedcore.params import Params
from fedcore.rng import Purpose, rng
from fedcore.spec import check
from tests.fedcore.runs import SMALL, assert_same_state, play, play_rounds, small_spec
from tests.fedcore.tiny_models import reviews_folder, run_spec, write_bert, write_gpt

LORA = {"kind": "lora", "rank": 4, "alpha": 8}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    write_bert(folder / "tiny" / "bert")
    write_gpt(folder / "tiny-gpt")
    return folder


@pytest.fixture
def places(tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch) -> Folders:
    monkeypatch.setenv("ROUNDHOUSE_MODELS_DIR", str(models))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return Folders(reviews_folder(tmp_path / "data"), tmp_path / "cache")


def context_of(places: Folders, path: str, peft: dict[str, Any], **overrides: Any) -> RunContext:
    return build_context(run_spec(path, peft=peft, **overrides), places)


def adapted(context: RunContext) -> AdaptedModel:
    assert isinstance(context.model, AdaptedModel)
    return context.model


LAYER = "bert.encoder.layer.0"


@pytest.mark.parametrize(
    ("path", "peft", "names", "numbers"),
    [
        # Two targets of 16 x 16 with rank 4, and a head of 16 x 2 with its bias.
        ("tiny/bert", LORA, {f"{LAYER}.attention.self.query.lora_A.weight"}, 2 * 4 * 32 + 34),
        # 16 -> 48 and 16 -> 64; GPT-2's classifier has no bias.
        (
            "tiny-gpt",
            {**LORA, "target_modules": ["c_attn", "c_fc"]},
            {"transformer.h.0.attn.c_attn.lora_B.weight", "score.weight"},
            4 * (16 + 48) + 4 * (16 + 64) + 32,
        ),
        ("tiny/bert", {"kind": "head"}, {"classifier.weight", "classifier.bias"}, 34),
        # A block has 3d + d + m + d + 2d; the embedding's norm and the pooler have d each.
        (
            "tiny/bert",
            {"kind": "bias"},
            {"bert.pooler.dense.bias"},
            16 * 4 + 32 + 16 + 32 + 2 * 16 + 34,
        ),
    ],
    ids=["lora", "lora on gpt-2", "head", "bias"],
)
def test_the_view_holds_what_is_trained_and_nothing_else(
    places: Folders, path: str, peft: dict[str, Any], names: set[str], numbers: int
) -> None:
    context = context_of(places, path, peft)
    assert names <= set(context.layout.names)
    assert context.layout.total == numbers
    before = {name: tensor.clone() for name, tensor in _start(context).items()}
    state, report = play(context, initial_state(context))
    assert not torch.equal(state.model.flat, initial_state(context).model.flat)
    for name, tensor in _start(context).items():
        assert torch.equal(tensor, before[name]), name
    for client in report.clients:  # both ways the view, and headers
        assert 4 * numbers <= client.bytes_up < 4 * numbers + 3000
        assert 4 * numbers <= client.bytes_down < 4 * numbers + 3000


def _start(context: RunContext) -> dict[str, torch.Tensor]:
    return dict(context.model.start)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("path", "peft"),
    [("tiny/bert", LORA), ("tiny-gpt", {**LORA, "target_modules": ["all-linear"]})],
)
def test_factors_start_at_the_model_as_it_was_published(
    places: Folders, path: str, peft: dict[str, Any]
) -> None:
    context, plain = context_of(places, path, peft), context_of(places, path, {"kind": "none"})
    x = context.dataset.test.x[:4]
    whole = initial_state(plain).model
    expected = plain.model.apply(whole, x)
    assert torch.allclose(context.model.apply(initial_state(context).model, x), expected, atol=1e-6)
    assert torch.equal(adapted(context).whole(initial_state(context).model).flat, whole.flat)


@pytest.mark.parametrize(
    ("path", "peft"),
    [("tiny/bert", LORA), ("tiny-gpt", {**LORA, "target_modules": ["all-linear"]})],
)
def test_the_merged_model_is_the_adapted_one(
    places: Folders, path: str, peft: dict[str, Any]
) -> None:
    context, plain = context_of(places, path, peft), context_of(places, path, {"kind": "none"})
    model = initial_state(context).model
    generator = torch.Generator().manual_seed(0)
    trained = model.with_flat(torch.randn(model.flat.shape, generator=generator) * 0.3)
    x = context.dataset.test.x[:4]
    merged = plain.model.apply(adapted(context).whole(trained), x)
    torch.testing.assert_close(merged, context.model.apply(trained, x), rtol=1e-4, atol=1e-4)


@pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning")  # peft's own call
def test_an_export_is_read_by_the_libraries(places: Folders, models: Path, tmp_path: Path) -> None:
    from peft import PeftModel  # noqa: PLC0415
    from transformers import AutoModelForSequenceClassification, AutoTokenizer  # noqa: PLC0415

    spec = run_spec("tiny/bert", peft=LORA)
    engine = Engine.create(spec, data_dir=places.data, cache_dir=places.cache)
    engine.run_round()
    files = engine.export_model(tmp_path / "out")
    names = {str(file.relative_to(tmp_path / "out")) for file in files}
    assert {"adapter/adapter_config.json", "adapter/adapter_model.safetensors"} <= names
    own = load_exported(tmp_path / "out")
    tokens = AutoTokenizer.from_pretrained(tmp_path / "out")("a good movie", return_tensors="pt")
    expected = own(tokens["input_ids"].int())

    merged = AutoModelForSequenceClassification.from_pretrained(tmp_path / "out").eval()
    assert torch.allclose(merged(**tokens).logits, expected, atol=1e-5)
    base = AutoModelForSequenceClassification.from_pretrained(models / "tiny" / "bert")
    assert not torch.allclose(base.eval()(**tokens).logits, expected, atol=1e-3)
    with_adapter: Any = PeftModel.from_pretrained(base, str(tmp_path / "out" / "adapter")).eval()
    assert torch.allclose(with_adapter(**tokens).logits, expected, atol=1e-5)
    engine.close()


def test_an_adapter_of_a_model_that_nobody_has_is_not_written(
    places: Folders, tmp_path: Path
) -> None:
    spec = run_spec(
        "tiny/bert",
        peft=LORA,
        model={"kind": "huggingface", "path": "tiny/bert", "pretrained": False},
    )
    engine = Engine.create(spec, data_dir=places.data, cache_dir=places.cache)
    engine.export_model(tmp_path / "out")
    assert (tmp_path / "out" / "model.safetensors").exists()
    assert not (tmp_path / "out" / "adapter").exists()
    engine.close()


@pytest.mark.parametrize("executor", ["pool", "stacked"])
def test_other_executors_compute_the_same(places: Folders, executor: str) -> None:
    peft = {**LORA, "dropout": 0.0 if executor == "stacked" else 0.3}
    results = []
    for name in ("sequential", executor):
        spec = run_spec(
            "tiny/bert", peft=peft, runtime={"executor": name, "processes": 2, "device": "cpu"}
        )
        engine = Engine.create(spec, data_dir=places.data, cache_dir=places.cache)
        engine.run_round()
        results.append(engine._state.model.flat)  # noqa: SLF001
        assert engine.executor.startswith(name)
        engine.close()
    if executor == "pool":
        assert torch.equal(*results)
    else:
        torch.testing.assert_close(*results, rtol=1e-4, atol=1e-5)


def test_dropout_depends_on_the_seed_alone(places: Folders) -> None:
    runs = []
    before = torch.get_rng_state()
    for dropout in (0.5, 0.5, 0.0):
        context = context_of(places, "tiny/bert", {**LORA, "dropout": dropout})
        runs.append(play_rounds(context, 2)[0])
    assert_same_state(runs[0], runs[1])
    assert not torch.equal(runs[0].model.flat, runs[2].model.flat)
    assert torch.equal(torch.get_rng_state(), before)


def test_dropout_is_off_in_tests(places: Folders) -> None:
    context = context_of(places, "tiny/bert", {**LORA, "dropout": 0.9})
    state, _ = play(context, initial_state(context))
    x = context.dataset.test.x[:4]
    first, second = (context.model.apply(state.model, x) for _ in range(2))
    assert torch.equal(first, second)


def test_running_statistics_of_a_frozen_model_do_not_move(folders: Folders) -> None:
    resnet = {"kind": "resnet", "depth": 8, "width": 8, "norm": "batch"}
    context = build_context(small_spec(model=resnet, peft={"kind": "head"}), folders)
    state, _ = play(context, initial_state(context))
    assert "buffers" not in state.tensors
    whole = adapted(context).whole(state.model)
    buffers = initial_buffers(context.model.base)  # type: ignore[attr-defined]
    assert buffers is not None
    for name, tensor in buffers.items():
        assert torch.equal(whole[name], tensor), name


def test_the_head_alone_is_logistic_regression_on_fixed_features(folders: Folders) -> None:
    context = build_context(small_spec(peft={"kind": "head"}), folders)
    state, _ = play_rounds(context, 2)
    base = initial_params(context.model.base, rng(3, Purpose.MODEL_INIT))  # type: ignore[attr-defined]
    hidden = [name for name in base if name not in state.model]
    assert hidden
    whole = adapted(context).whole(state.model)
    assert all(torch.equal(whole[name], base[name]) for name in hidden)
    features = torch.relu(context.dataset.test.x.flatten(1) @ base[hidden[0]].T + base[hidden[1]])
    weight, bias = state.model.values()
    expected = features @ weight.T + bias
    actual = context.model.apply(state.model, context.dataset.test.x)
    assert torch.allclose(actual, expected, atol=1e-5)


def _problems(**sections: Any) -> dict[str, str]:
    found = check({**SMALL, **sections}).problems
    assert all(problem.fix for problem in found)
    return {problem.path: problem.message for problem in found}


GPT = {"kind": "tiny_gpt", "dim": 16}
TEXT = {"kind": "shakespeare"}


def test_lora_needs_a_transformers_model() -> None:
    assert "peft.kind" in _problems(peft=LORA)
    assert "peft.kind" in _problems(peft=LORA, model=GPT, dataset=TEXT, partition={"kind": "iid"})


def test_a_shared_output_layer_cannot_be_trained_alone() -> None:
    sections = {"model": GPT, "dataset": TEXT, "partition": {"kind": "iid"}}
    assert "peft.kind" in _problems(peft={"kind": "head"}, **sections)
    assert not _problems(peft={"kind": "bias"}, **sections)


def test_ranks_need_a_method_that_can_combine_them() -> None:
    model = {"kind": "huggingface", "path": "tiny/bert"}
    sections = {"model": model, "dataset": {"kind": "banking77"}}
    assert "peft.ranks" in _problems(peft={**LORA, "ranks": [2, 4]}, **sections)
    assert not _problems(peft=LORA, **sections)


@pytest.mark.parametrize(
    ("names", "offered"),
    [(["qury"], "query"), (["query", "valeu"], "value"), (["word_embeddings"], "dense")],
)
def test_layers_that_are_not_there_are_refused_with_those_that_are(
    places: Folders, names: list[str], offered: str
) -> None:
    with pytest.raises(ModelError) as caught:
        context_of(places, "tiny/bert", {**LORA, "target_modules": names})
    assert caught.value.field == "peft.target_modules"
    assert offered in (caught.value.fix or "")


def test_a_language_model_with_a_shared_output_has_no_head(places: Folders) -> None:
    text = {"kind": "upload", "path": "reviews.csv", "input": "text", "length": 8}
    with pytest.raises(ModelError) as caught:
        context_of(places, "tiny-gpt", {"kind": "head"}, dataset=text)
    assert caught.value.field == "peft.kind"
    context = context_of(places, "tiny-gpt", LORA, dataset=text)
    assert {target.name for target in lora_of(context.model).targets} == {
        "transformer.h.0.attn.c_attn"
    }
    state, report = play_rounds(context, 2)
    assert isinstance(state.model, Params)
    assert report[1].metrics["loss"] < report[0].metrics["loss"]
