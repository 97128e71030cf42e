"""The engine through its public interface."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch

import fedcore.engine.engine as engine_module
import fedcore.engine.memory as memory_module
from fedcore.data import Request, load_dataset
from fedcore.data.dataset import Scaling
from fedcore.engine import Engine, Pace, RoundReport, checkpoint
from fedcore.environment import Folders
from fedcore.errors import DatasetError, DeviceError, ModelTooLargeError, PartitionError
from fedcore.models import load_exported
from fedcore.spec import RunSpec
from tests.fedcore.runs import small_spec, timeless


def run(engine: Engine) -> list[RoundReport]:
    reports = []
    while not engine.is_finished:
        reports.append(engine.run_round())
    engine.close()
    return reports


def create(cache_dir: Path, **overrides: Any) -> Engine:
    return Engine.create(small_spec(**overrides), cache_dir=cache_dir)


def test_the_empty_spec_learns_digits(cache_dir: Path) -> None:
    engine = Engine.create(RunSpec.model_validate({}), cache_dir=cache_dir)
    run(engine)
    assert engine.metrics["accuracy"] >= 0.9


def test_two_engines_report_the_same(cache_dir: Path) -> None:
    first, second = (run(create(cache_dir)) for _ in range(2))
    assert [timeless(report) for report in first] == [timeless(report) for report in second]


def test_the_number_of_threads_outside_changes_nothing(cache_dir: Path) -> None:
    before = torch.get_num_threads()
    reports = []
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            reports.append([timeless(report) for report in run(create(cache_dir))])
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert reports[0] == reports[1]


def test_what_is_stored_of_a_run_is_packed_and_unpacked_by_one_thread(
    cache_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: dict[str, int] = {}

    def watched(module: Any, name: str) -> None:
        function = getattr(module, name)

        def seen(*args: Any, **kwargs: Any) -> Any:
            threads[name] = torch.get_num_threads()
            return function(*args, **kwargs)

        monkeypatch.setattr(module, name, seen)

    for name in ("decode", "encode", "load", "save"):
        watched(checkpoint, name)
    watched(engine_module, "encode_partial")
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        engine = create(cache_dir)
        engine.train_chunk(engine.chunks(Pace())[0])
        engine.restore(b"".join(bytes(piece) for piece in engine.encoded()[1]))
        Engine.resume(small_spec(), engine.save(tmp_path).parent, cache_dir=cache_dir)
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
    # More of them wait for each other, ten milliseconds and more, where processes share a machine.
    assert threads == dict.fromkeys(("decode", "encode", "load", "save", "encode_partial"), 1)


def test_a_report_describes_its_round(cache_dir: Path) -> None:
    engine = create(cache_dir)
    reports = run(engine)
    assert [report.round_index for report in reports] == [0, 1, 2, 3]
    for report in reports:
        assert set(report.metrics) == {"accuracy", "loss", "train_loss"}
        assert 0 <= report.metrics["accuracy"] <= 1
        assert [client.client_id for client in report.clients] == sorted(
            client.client_id for client in report.clients
        )
        assert report.participants == len(report.clients) == 3
        assert report.seconds > 0
        weights = [client.num_samples for client in report.clients]
        losses = [client.loss or math.nan for client in report.clients]
        mean = sum(w * x for w, x in zip(weights, losses, strict=True)) / sum(weights)
        assert report.metrics["train_loss"] == pytest.approx(mean)
    totals = engine.totals
    assert totals.rounds == engine.round_index == 4
    assert totals.bytes_up == sum(report.bytes_up for report in reports)
    assert totals.bytes_down == sum(report.bytes_down for report in reports)
    assert totals.sim_seconds == pytest.approx(sum(report.sim_seconds for report in reports))
    assert dict(engine.metrics) == dict(reports[-1].metrics)


def test_a_report_is_plain_json(cache_dir: Path) -> None:
    report = create(cache_dir, evaluation={"per_client": True}).run_round()
    content = json.loads(json.dumps(report.to_json(), allow_nan=False))
    assert content["round_index"] == 0
    assert content["metrics"] == dict(report.metrics)
    assert content["clients"][0]["status"] == "ok"
    assert content["executor"] == report.executor


def test_numbers_that_json_does_not_know_become_null() -> None:
    report = RoundReport(
        round_index=0,
        metrics={"loss": math.inf, "accuracy": 0.5},
        bytes_up=1,
        bytes_down=1,
        seconds=0.1,
        sim_seconds=0.1,
        participants=1,
        clients=(),
        scores=(),
        executor="sequential",
    )
    assert report.to_json()["metrics"] == {"loss": None, "accuracy": 0.5}


class TestEvaluation:
    def test_every_second_round_and_the_last_one_are_tested(self, cache_dir: Path) -> None:
        reports = run(create(cache_dir, rounds=5, evaluation={"every": 2}))
        assert ["accuracy" in report.metrics for report in reports] == [
            False, True, False, True, True,
        ]  # fmt: skip

    def test_the_latest_metrics_are_kept(self, cache_dir: Path) -> None:
        engine = create(cache_dir, rounds=5, evaluation={"every": 2})
        second = [engine.run_round() for _ in range(3)][1]
        assert engine.metrics["accuracy"] == second.metrics["accuracy"]
        assert engine.metrics["train_loss"] != second.metrics["train_loss"]

    def test_clients_are_tested_on_their_own_examples(self, cache_dir: Path) -> None:
        engine = create(cache_dir, evaluation={"per_client": True})
        report = engine.run_round()
        table = engine.client_table()
        sizes = {row.client_id: row.num_test for row in table.clients if row.num_test}
        assert {score.client_id: score.num_samples for score in report.scores} == sizes
        weighted = sum(score.metrics["accuracy"] * score.num_samples for score in report.scores)
        assert weighted / sum(sizes.values()) == pytest.approx(report.metrics["accuracy"])
        weighted = sum(score.metrics["loss"] * score.num_samples for score in report.scores)
        assert weighted / sum(sizes.values()) == pytest.approx(report.metrics["loss"])
        accuracies = [score.metrics["accuracy"] for score in report.scores]
        assert report.metrics["client_accuracy_mean"] == pytest.approx(
            sum(accuracies) / len(accuracies)
        )
        assert report.metrics["client_accuracy_worst_tenth"] == pytest.approx(min(accuracies))

    def test_a_target_ends_the_run(self, cache_dir: Path) -> None:
        target = {"metric": "accuracy", "value": 0.3}
        engine = create(cache_dir, rounds=50, evaluation={"target": target})
        reports = run(engine)
        assert len(reports) < 50
        assert reports[-1].metrics["accuracy"] >= 0.3
        assert all(report.metrics["accuracy"] < 0.3 for report in reports[:-1])

    def test_a_loss_can_be_the_target(self, cache_dir: Path) -> None:
        target = {"metric": "loss", "value": 2.0}
        reports = run(create(cache_dir, rounds=50, evaluation={"target": target}))
        assert reports[-1].metrics["loss"] <= 2.0
        assert all(report.metrics["loss"] > 2.0 for report in reports[:-1])

    def test_a_run_loses_patience(self, cache_dir: Path) -> None:
        standstill = {"lr": 1e-30}
        reports = run(create(cache_dir, local=standstill, evaluation={"patience": 2}))
        assert len(reports) == 3
        assert len({report.metrics["loss"] for report in reports}) == 1


class TestClock:
    def test_a_round_lasts_as_long_as_its_slowest_client(self, cache_dir: Path) -> None:
        system = {"speed": {"kind": "uniform", "samples_per_s": 10}}
        report = create(cache_dir, system=system).run_round()
        slowest = max(client.num_samples for client in report.clients)
        assert report.sim_seconds == pytest.approx(slowest / 10)

    def test_more_passes_take_longer(self, cache_dir: Path) -> None:
        report = create(cache_dir, local={"epochs": 3}).run_round()
        slowest = max(client.num_samples for client in report.clients)
        assert report.sim_seconds == pytest.approx(3 * slowest / 1000)

    def test_transfers_take_time_if_there_is_a_bandwidth(self, cache_dir: Path) -> None:
        report = create(cache_dir, system={"bandwidth_mbps": 1}).run_round()
        expected = max(
            client.num_samples / 1000 + 8 * (client.bytes_up + client.bytes_down) / 1e6
            for client in report.clients
        )
        assert report.sim_seconds == pytest.approx(expected)


def test_the_client_table_counts_every_example(cache_dir: Path, folders: Folders) -> None:
    spec = small_spec()
    table = create(cache_dir).client_table()
    digits = load_dataset(spec.dataset, Request(spec.seed, 6, folders))
    assert [row.client_id for row in table.clients] == list(range(6))
    assert all(sum(row.class_counts) == row.num_train for row in table.clients)
    per_class = [sum(row.class_counts[label] for row in table.clients) for label in range(10)]
    assert per_class == digits.train.y.bincount().tolist()
    assert sum(row.num_test for row in table.clients) == 360
    assert json.loads(json.dumps(table.to_json()))["num_classes"] == 10


class TestExport:
    @pytest.mark.parametrize(
        "model",
        [
            {"kind": "linear"},
            {"kind": "mlp", "hidden": [5, 7]},
            {"kind": "cnn", "channels": [3, 4], "hidden": 8},
        ],
        ids=["linear", "mlp", "cnn"],
    )
    def test_an_exported_model_predicts_as_the_run_did(
        self, cache_dir: Path, folders: Folders, tmp_path: Path, model: dict[str, Any]
    ) -> None:
        engine = create(cache_dir, rounds=1, model=model)
        report = engine.run_round()
        files = engine.export_model(tmp_path)
        assert [file.name for file in files] == ["model.safetensors", "model.json"]

        loaded = load_exported(tmp_path)
        digits = load_dataset(small_spec().dataset, Request(3, 6, folders))
        with torch.no_grad():
            hits = loaded(digits.test.x).argmax(1) == digits.test.y
        assert float(hits.double().mean()) == pytest.approx(report.metrics["accuracy"])

    def test_raw_pixels_can_be_prepared(
        self, cache_dir: Path, folders: Folders, tmp_path: Path
    ) -> None:
        create(cache_dir).export_model(tmp_path)
        loaded = load_exported(str(tmp_path))
        digits = load_dataset(small_spec().dataset, Request(3, 6, folders))
        assert isinstance(digits.preparation, Scaling)
        raw = (digits.test.x * digits.preparation.std + digits.preparation.mean) * 16
        prepared = loaded.prepare(raw.round())
        torch.testing.assert_close(prepared, digits.test.x, rtol=1e-4, atol=1e-5)

    def test_a_metric_that_is_not_finite_does_not_stop_the_export(
        self, cache_dir: Path, tmp_path: Path
    ) -> None:
        exploding = {"lr": 1000.0, "weight_decay": 10.0, "steps": 5}
        engine = create(cache_dir, local=exploding)
        assert not math.isfinite(engine.run_round().metrics["loss"])
        assert engine.export_model(tmp_path)

    def test_the_description_says_where_the_model_comes_from(
        self, cache_dir: Path, tmp_path: Path
    ) -> None:
        engine = create(cache_dir)
        engine.run_round()
        engine.export_model(tmp_path)
        described = json.loads((tmp_path / "model.json").read_text())
        assert described["spec_digest"] == small_spec().digest()
        assert described["rounds"] == 1
        assert described["metrics"]["accuracy"] == engine.metrics["accuracy"]
        assert described["dataset"]["kind"] == "digits"


class TestBadInput:
    def test_a_model_too_large_for_the_memory_is_refused_before_it_is_made(
        self, cache_dir: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(memory_module, "available_bytes", lambda _: 10**9)
        with pytest.raises(ModelTooLargeError) as caught:
            create(cache_dir, model={"kind": "mlp", "hidden": [65_536, 65_536]})
        assert caught.value.field == "model"
        assert "GB" in caught.value.message

    def test_free_memory_can_be_told(self) -> None:
        available = memory_module.available_bytes(torch.device("cpu"))
        assert available is not None
        assert 2**20 < available < 2**50

    @pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
    def test_a_device_that_is_not_there_is_refused(self, cache_dir: Path) -> None:
        with pytest.raises(DeviceError) as caught:
            create(cache_dir, runtime={"device": "cuda"})
        assert caught.value.field == "runtime.device"

    def test_an_impossible_partition_is_refused(self, cache_dir: Path) -> None:
        partition = {"kind": "dirichlet", "clients": 100, "alpha": 0.001, "min_size": 10}
        with pytest.raises(PartitionError) as caught:
            create(cache_dir, partition=partition)
        assert caught.value.field == "partition.alpha"

    def test_a_data_set_that_is_not_there_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "mnist").mkdir()
        (tmp_path / "mnist" / "train.parquet").write_bytes(b"")
        with pytest.raises(DatasetError) as caught:
            Engine.create(
                small_spec(dataset={"kind": "mnist"}), data_dir=tmp_path, cache_dir=tmp_path
            )
        assert caught.value.field == "dataset.kind"


class TestMnist:
    def test_real_mnist_is_learnt(self, real_data: Path) -> None:
        """Decoding 70,000 images takes seconds, so they stay in the cache of this machine."""
        engine = Engine.create(
            RunSpec.model_validate(
                {
                    "rounds": 3,
                    "dataset": {"kind": "mnist"},
                    "partition": {"kind": "dirichlet", "clients": 100, "alpha": 0.5},
                    "model": {"kind": "mlp", "hidden": [64]},
                    "sampling": {"kind": "random", "count": 10},
                    "local": {"epochs": 1, "batch_size": 32, "lr": 0.1},
                }
            ),
            data_dir=real_data,
        )
        run(engine)
        assert engine.metrics["accuracy"] > 0.7
