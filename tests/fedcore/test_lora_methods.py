"""FedIT and FLoRA: what they send, and what comes of the factors of the clients."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor

from fedcore.algorithms.flora import BASE, FACTORS, HEAD, STACK, Flora, merged
from fedcore.clients.work import client_round
from fedcore.engine import Engine
from fedcore.engine.context import RunContext, build_context, initial_state
from fedcore.engine.planning import plan
from fedcore.environment import Folders
from fedcore.messages import Update
from fedcore.models.lora import LoraModel, lora_of
from fedcore.params import Params, vector
from fedcore.spec import RunSpec, check
from fedcore.state import RunState
from fedcore.wire import decode_message, encode, schema_of
from tests.fedcore.contract import MethodContract
from tests.fedcore.runs import never, play, play_rounds
from tests.fedcore.tiny_models import reviews_folder, run_spec, write_bert, write_gpt

LORA = {"kind": "lora", "rank": 4, "alpha": 8}
RANKS = [2, 4, 8]
#: Names of the layers are long, and each is written twice.
HEADERS = 6000


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    write_bert(folder / "tiny" / "bert")
    write_gpt(folder / "tiny-gpt", spread=0.3)
    return folder


@pytest.fixture(scope="module")
def reviews(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return reviews_folder(tmp_path_factory.mktemp("reviews") / "data")


@pytest.fixture
def folders(
    models: Path, reviews: Path, cache_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> Folders:
    monkeypatch.setenv("ROUNDHOUSE_MODELS_DIR", str(models))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return Folders(reviews, cache_dir)


def lora_spec(algorithm: str | dict[str, Any], **overrides: Any) -> RunSpec:
    kind = {"kind": algorithm} if isinstance(algorithm, str) else algorithm
    defaults: dict[str, Any] = {
        "seed": 3,
        "partition": {"kind": "iid", "clients": 6},
        "sampling": {"kind": "random", "fraction": 0.5},
        "local": {"epochs": 1, "batch_size": 3, "lr": 0.01, "optimizer": "adamw"},
        "peft": LORA,
        "algorithm": kind,
    }
    return run_spec("tiny/bert", **{**defaults, **overrides})


class LoraContract(MethodContract):
    peft: ClassVar[dict[str, Any]] = LORA
    overhead_bytes = HEADERS

    def spec(self) -> RunSpec:
        model = {"kind": "huggingface", "path": "tiny/bert", "pretrained": False}
        return lora_spec(self.algorithm, peft=self.peft, model=model)


class TestFedIt(LoraContract):
    algorithm = {"kind": "fedit", "measure_bias": True}


class TestFlora(LoraContract):
    algorithm = {"kind": "flora"}
    peft = {**LORA, "ranks": RANKS}

    def test_messages_have_the_size_of_the_card(
        self, context: RunContext, middle: RunState
    ) -> None:
        _, report = play(context, middle)
        lora, head = lora_of(context.model), 16 * 2 + 2
        widths = sum(target.inputs + target.outputs for target in lora.targets)
        layers = sum(target.inputs * target.outputs for target in lora.targets)
        for client in report.clients:
            up = 4 * (lora.spec.rank_of(client.client_id) * widths + head)
            assert 0 <= client.bytes_up - up < HEADERS
            missed = range(middle.broadcast.heard.get(client.client_id, 0), 2)
            ranks = [stacked_rank(middle, number) for number in missed]
            known = [rank for rank in ranks if rank is not None]
            down = 4 * (min(sum(known) * widths, layers) if len(known) == len(ranks) else layers)
            assert 0 <= client.bytes_down - 4 * down // 4 - 4 * head < HEADERS


def stacked_rank(state: RunState, number: int) -> int | None:
    stack = state.tensors.get(f"{STACK}{number}")
    return None if stack is None else next(iter(stack.values())).shape[0]


def factors_of(lora: LoraModel, rank: int, seed: int) -> Params:
    generator = torch.Generator().manual_seed(seed)
    infos = lora.factor_infos(rank)
    return Params.of(
        {name: torch.randn(info.shape, generator=generator) for name, info in infos.items()}
    )


def update_of(lora: LoraModel, client_id: int, weight: float) -> Update:
    rank = lora.spec.rank_of(client_id)
    generator = torch.Generator().manual_seed(100 + client_id)
    head = {
        name: torch.randn(lora.parameters()[name].shape, generator=generator)
        for name in lora.base.head()
    }
    return Update(
        sections={FACTORS: factors_of(lora, rank, client_id), "delta": Params.of(head)},
        scalars={"loss": 1.0},
        base_version=0,
        client_id=client_id,
        weight=weight,
    )


def folded(method: Any, state: RunState, updates: list[Update]) -> RunState:
    accumulator = method.start(state)
    for update in updates:
        accumulator = method.fold(accumulator, update)
    after: RunState = method.finish(accumulator, state)
    return after


@pytest.fixture
def flora(folders: Folders) -> RunContext:
    return build_context(lora_spec("flora", peft={**LORA, "ranks": RANKS}), folders)


def test_floras_server_step_is_the_mean_of_the_merged_models(flora: RunContext) -> None:
    lora, state = lora_of(flora.model), initial_state(flora)
    weights = {0: 3.0, 1: 5.0, 2: 2.0}
    updates = [update_of(lora, client, weight) for client, weight in weights.items()]
    after = folded(flora.method, state, updates).model
    for target in lora.targets:
        expected = torch.zeros(target.outputs, target.inputs, dtype=torch.float64)
        for update in updates:
            share = update.weight / 10
            factors = vector(update.sections, FACTORS)
            product = factors[target.b].double() @ factors[target.a].double()
            expected += share * (state.model[target.weight].double() + 2.0 * product)
        torch.testing.assert_close(after[target.weight].double(), expected, rtol=1e-5, atol=1e-5)
    bias = lora.base.head()[1]
    mean = sum(vector(update.sections, "delta")[bias] * (update.weight / 10) for update in updates)
    torch.testing.assert_close(after[bias], state.model[bias] + mean)


def test_the_order_of_clients_changes_nothing_at_all(flora: RunContext) -> None:
    lora, state = lora_of(flora.model), initial_state(flora)
    updates = [update_of(lora, client, 1.0 + client) for client in (0, 1, 2)]
    forward = folded(flora.method, state, updates)
    backward = folded(flora.method, state, updates[::-1])
    for target in lora.targets:
        assert torch.equal(forward.model[target.weight], backward.model[target.weight])


def test_the_increment_has_the_rank_of_all_clients_together(flora: RunContext) -> None:
    lora, state = lora_of(flora.model), initial_state(flora)
    for clients, rank in (([0, 1], 6), ([0, 1, 2], 14), ([2, 5], 16), ([2, 5, 1], 16)):
        after = folded(flora.method, state, [update_of(lora, c, 1.0) for c in clients])
        target = lora.targets[0]
        increment = after.model[target.weight] - state.model[target.weight]
        assert int(torch.linalg.matrix_rank(increment.double(), rtol=1e-5)) == rank
        assert flora.method.round_metrics(after) == {
            "stacked_rank": float(sum(RANKS[client % 3] for client in clients))
        }


def test_one_client_is_local_training_and_merging(folders: Folders) -> None:
    spec = lora_spec("flora", sampling={"kind": "random", "count": 1})
    context = build_context(spec, folders)
    state = initial_state(context)
    (task,) = plan(context, state).work.tasks
    factors = client_round(context.method, task, never).update.sections[FACTORS]
    after, _ = play(context, state)
    lora = lora_of(context.model)
    for target in lora.targets:
        expected = state.model[target.weight] + 2.0 * factors[target.b] @ factors[target.a]
        torch.testing.assert_close(after.model[target.weight], expected)


@pytest.mark.parametrize("rounds", [1, 2, 4])
def test_what_travels_is_enough_to_make_the_base_model(folders: Folders, rounds: int) -> None:
    """A client that was away adds up all that it has missed and holds the server's bits."""
    spec = lora_spec("flora", peft={**LORA, "ranks": [1]}, sampling={"kind": "random", "count": 2})
    context = build_context(spec, folders)
    method, lora = context.method, lora_of(context.model)
    start = initial_state(context)
    state, _ = play_rounds(context, rounds)
    kinds = set()
    for client_id in range(6):
        message = method.downlink(state, client_id)
        sent = encode(method.travelling(message, state, client_id))
        expected = schema_of(method.travelling(message, state, client_id))
        received = decode_message(sent, expected, max_bytes=10**6)
        heard = state.broadcast.heard.get(client_id, 0)
        held: Mapping[str, Tensor] = play_rounds(context, heard)[0].model if heard else start.model
        for name, section in received.sections.items():
            kinds.add(name.partition(".")[0])
            held = merged(lora, held, section) if name.startswith(STACK) else {**held, **section}
        for name, tensor in message.sections[BASE].items():
            assert torch.equal(held[name], tensor), name
    assert HEAD in kinds
    assert "stack" in kinds or rounds == 1


def test_layers_are_sent_whole_once_the_stacks_are_larger(folders: Folders) -> None:
    spec = lora_spec("flora", peft={**LORA, "rank": 8}, sampling={"kind": "full"})
    context = build_context(spec, folders)
    state, reports = play_rounds(context, 2)
    # Six clients of rank 8 stack to 48 rows and columns of 16 each; a layer is 16 x 16.
    message = context.method.travelling(context.method.downlink(state, 0), state, 0)
    assert list(message.sections) == [HEAD, BASE]
    layers = 4 * sum(t.inputs * t.outputs for t in lora_of(context.model).targets)
    assert reports[1].clients[0].bytes_down < layers + 4 * 34 + HEADERS
    assert not any(name.startswith(STACK) for name in state.tensors)


def test_the_downlink_grows_with_the_cohort(folders: Folders) -> None:
    sizes = []
    for count in (1, 2, 3):
        peft = {**LORA, "ranks": [1]}
        spec = lora_spec("flora", peft=peft, sampling={"kind": "round_robin", "count": count})
        context = build_context(spec, folders)
        state, _ = play(context, initial_state(context))
        client = next(iter(state.broadcast.heard))
        sent = context.method.travelling(context.method.downlink(state, client), state, client)
        sizes.append(sum(tensor.nbytes for tensor in sent.tensors()) - 4 * 34)
    assert sizes == [sizes[0], 2 * sizes[0], 3 * sizes[0]]


def test_reversed_factors_are_a_reversed_product(flora: RunContext) -> None:
    method = flora.method
    assert isinstance(method, Flora)
    update = update_of(lora_of(flora.model), 1, 1.0)
    attacked = method.distorted(update, lambda part: part * -5)
    before, after = (vector(u.sections, FACTORS) for u in (update, attacked))
    for target in lora_of(flora.model).targets:
        torch.testing.assert_close(
            after[target.b] @ after[target.a], -5 * before[target.b] @ before[target.a]
        )


def test_fedits_factors_are_the_weighted_means(folders: Folders) -> None:
    context = build_context(lora_spec("fedit"), folders)
    plain = build_context(lora_spec("fedavg"), folders)
    state, _ = play_rounds(context, 2)
    expected, _ = play_rounds(plain, 2)
    assert torch.equal(state.model.flat, expected.model.flat)


def bias_of(context: RunContext, changes: list[Params], weights: list[float]) -> float:
    state = initial_state(context)
    updates = [
        Update(
            sections={"delta": change},
            scalars={"loss": 1.0},
            base_version=0,
            client_id=client_id,
            weight=weight,
        )
        for client_id, (change, weight) in enumerate(zip(changes, weights, strict=True))
    ]
    after = folded(context.method, state, updates)
    return context.method.round_metrics(after)["aggregation_bias"]


def test_fedits_bias_is_the_distance_of_the_products(folders: Folders) -> None:
    context = build_context(lora_spec({"kind": "fedit", "measure_bias": True}), folders)
    lora, model = lora_of(context.model), initial_state(context).model
    generator = torch.Generator().manual_seed(0)
    changes = [
        model.with_flat(torch.randn(model.flat.shape, generator=generator)) for _ in range(3)
    ]
    weights = [1.0, 2.0, 5.0]
    squares = 0.0
    for target in lora.targets:
        a = [(model[target.a] + change[target.a]).double() for change in changes]
        b = [(model[target.b] + change[target.b]).double() for change in changes]
        shares = [weight / 8 for weight in weights]
        mean = sum(p * y @ x for p, x, y in zip(shares, a, b, strict=True))
        mean_a = sum((p * x for p, x in zip(shares, a, strict=True)), torch.zeros(()))
        mean_b = sum((p * y for p, y in zip(shares, b, strict=True)), torch.zeros(()))
        of_means = mean_b @ mean_a
        squares += float((2.0 * (of_means - mean)).square().sum())
    assert bias_of(context, changes, weights) == pytest.approx(squares**0.5, rel=1e-4)
    assert bias_of(context, changes[:1] * 3, weights) == pytest.approx(0.0, abs=1e-4)
    # Equal A on all clients, as in FFA-LoRA: exact.
    same = [replace_a(lora, change, changes[0]) for change in changes]
    assert bias_of(context, same, weights) == pytest.approx(0.0, abs=1e-4)


def replace_a(lora: LoraModel, change: Params, by: Params) -> Params:
    names = {target.a for target in lora.targets}
    return Params.of({name: by[name] if name in names else change[name] for name in change})


def test_two_tokens_patterns_are_learnt_together(folders: Folders) -> None:
    """The card's check of FedIT: the loss of a language model on unlike clients falls."""
    text = {"kind": "upload", "path": "reviews.csv", "input": "text", "length": 8}
    for algorithm in ("fedit", "flora"):
        spec = lora_spec(
            algorithm,
            dataset=text,
            model={"kind": "huggingface", "path": "tiny-gpt"},
            partition={"kind": "iid", "clients": 2},
            sampling={"kind": "full"},
            peft={**LORA, "target_modules": ["all-linear"]},
            local={"epochs": 4, "batch_size": 8, "lr": 0.02, "optimizer": "adamw"},
        )
        context = build_context(spec, folders)
        _, reports = play_rounds(context, 5)
        first, last = reports[0].metrics["loss"], reports[-1].metrics["loss"]
        assert last < 0.8 * first, algorithm


@pytest.mark.parametrize("algorithm", ["fedit", "flora"])
def test_a_pool_computes_the_same_bits(folders: Folders, algorithm: str) -> None:
    models = []
    for executor in ("sequential", "pool"):
        peft = {**LORA, "dropout": 0.2}
        if algorithm == "flora":
            peft["ranks"] = RANKS
        runtime = {"executor": executor, "processes": 2, "device": "cpu"}
        spec = lora_spec(algorithm, peft=peft, runtime=runtime)
        engine = Engine.create(spec, data_dir=folders.data, cache_dir=folders.cache)
        for _ in range(2):
            engine.run_round()
        models.append(engine._state.model.flat)  # noqa: SLF001
        engine.close()
    assert torch.equal(*models)


@pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning")
def test_floras_export_is_the_merged_model(folders: Folders, tmp_path: Path) -> None:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer  # noqa: PLC0415

    engine = Engine.create(lora_spec("flora"), data_dir=folders.data, cache_dir=folders.cache)
    engine.run_round()
    engine.export_model(tmp_path / "out")
    assert not (tmp_path / "out" / "adapter").exists()
    loaded = AutoModelForSequenceClassification.from_pretrained(tmp_path / "out").eval()
    tokens = AutoTokenizer.from_pretrained(tmp_path / "out")("a bad movie", return_tensors="pt")
    context, state = engine._context, engine._state  # noqa: SLF001
    expected = context.model.apply(state.model, tokens["input_ids"].int())
    assert torch.allclose(loaded(**tokens).logits, expected, atol=1e-5)
    engine.close()


@pytest.mark.parametrize("kind", ["fedit", "flora"])
def test_a_method_of_factors_needs_factors(kind: str) -> None:
    problems = check({"algorithm": {"kind": kind}}).problems
    assert [problem.path for problem in problems] == ["peft.kind"]
    assert "lora" in problems[0].fix


def test_floras_stacks_cannot_be_compressed() -> None:
    chain = {"uplink": [{"kind": "quantize"}], "downlink": [{"kind": "cast"}]}
    model = {"kind": "huggingface", "path": "tiny/bert"}
    document = {"algorithm": {"kind": "flora"}, "peft": LORA, "compression": chain}
    found = check({**document, "model": model, "dataset": {"kind": "banking77"}}).problems
    assert {p.path for p in found} == {"compression.uplink", "compression.downlink"}
