"""Checkpoints: exact, whole or absent, and bound to their spec and data."""

import json
import math
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from fedcore.engine import Engine, RoundReport, checkpoint
from fedcore.engine.context import RunContext, build_context
from fedcore.environment import Folders
from fedcore.errors import CheckpointError, StorageError
from fedcore.params import Params
from fedcore.state import ClientState, ClientStore, RunState, Stopping, Totals
from tests.fedcore.runs import assert_same_state, play_rounds, small_spec, timeless

CPU = torch.device("cpu")


def everything() -> RunState:
    """A state with something of every kind in every place."""
    params = Params.of(
        {"w": torch.tensor([[0.1, -0.0], [1e-45, 3e38]]), "b": torch.tensor([1 / 3])}
    )
    loose = {"i": torch.tensor([2**62, -1]), "e": torch.zeros(0, 3), "h": torch.ones(2).half()}
    return RunState(
        round_index=7,
        tensors={"model": params, "votes": loose},
        clients=ClientStore(
            {
                5: ClientState({"head": params}, {"visits": 2}),
                2: ClientState({}, {"note": "first", "list": [1, None, {"a": 0.1}]}),
            }
        ),
        combined={"delta": params},
        method={"step": 0.1 + 0.2},
        sampler={"pointer": 3},
        ledger=({"sigma": 1.1, "q": 0.01},),
        totals=Totals(7, 10**12, 3, 1.5, 0.1),
        metrics={"accuracy": 1 / 3, "loss": math.inf},
        stopping=Stopping(is_target_met=True, best_loss=0.25, tests_without_gain=3),
    )


def save(folder: Path, state: RunState | None = None) -> Path:
    return checkpoint.save(folder, state or everything(), digest="spec", data_fingerprint="data")


def load(folder: Path) -> RunState:
    return checkpoint.load(folder, digest="spec", data_fingerprint="data", device=CPU)


def test_everything_comes_back_to_the_last_bit(tmp_path: Path) -> None:
    save(tmp_path)
    loaded = load(tmp_path)
    assert_same_state(loaded, everything())
    assert loaded.totals == everything().totals
    assert math.copysign(1, float(loaded.model["w"][0, 1])) == -1


def test_a_checkpoint_is_one_file_that_is_replaced(tmp_path: Path) -> None:
    save(tmp_path)
    path = save(tmp_path, replace(everything(), round_index=8))
    assert list(tmp_path.iterdir()) == [path]
    assert load(tmp_path).round_index == 8


def test_the_folder_is_made(tmp_path: Path) -> None:
    save(tmp_path / "a" / "b")
    assert load(tmp_path / "a" / "b").round_index == 7


def damaged(folder: Path, change: Callable[[bytes], bytes]) -> str:
    path = folder / checkpoint.FILE_NAME
    content = path.read_bytes()
    path.write_bytes(change(content))
    try:
        with pytest.raises(CheckpointError) as caught:
            load(folder)
    finally:
        path.write_bytes(content)
    return caught.value.message


def test_a_torn_file_is_found_wherever_it_ends(tmp_path: Path) -> None:
    size = save(tmp_path).stat().st_size
    for end in [0, 1, 7, 8, 100, size // 2, size - 1]:
        assert "damaged" in damaged(tmp_path, lambda content, end=end: content[:end])  # type: ignore[misc]


def test_no_flipped_bit_goes_unnoticed(tmp_path: Path) -> None:
    content = save(tmp_path).read_bytes()
    header_end = content.rindex(b"}") + 1
    padding = range(
        header_end, header_end + len(content[header_end:]) - len(content[header_end:].lstrip(b" "))
    )
    for position in range(0, len(content), 9):
        if position in padding:  # blanks between header and tensors carry nothing
            continue

        def flip(content: bytes, position: int = position) -> bytes:
            changed = bytearray(content)
            changed[position] ^= 1 << (position % 8)
            return bytes(changed)

        assert damaged(tmp_path, flip)


def test_a_missing_checkpoint_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no checkpoint"):
        load(tmp_path)


def test_a_checkpoint_of_another_spec_is_refused(tmp_path: Path) -> None:
    save(tmp_path)
    with pytest.raises(CheckpointError, match="another spec"):
        checkpoint.load(tmp_path, digest="other", data_fingerprint="data", device=CPU)


def test_a_checkpoint_of_other_data_is_refused(tmp_path: Path) -> None:
    save(tmp_path)
    with pytest.raises(CheckpointError) as caught:
        checkpoint.load(tmp_path, digest="spec", data_fingerprint="other", device=CPU)
    assert caught.value.field == "dataset"


def test_a_full_disk_keeps_the_older_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="No space left"):
        save(tmp_path, replace(everything(), round_index=8))
    monkeypatch.undo()
    assert load(tmp_path).round_index == 7
    assert [path.name for path in tmp_path.iterdir()] == [checkpoint.FILE_NAME]


def test_the_file_is_flushed_before_it_is_renamed_and_the_folder_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[str] = []
    flush, rename = os.fsync, Path.replace

    def fsync(descriptor: int) -> None:
        is_folder = os.path.isdir(f"/proc/self/fd/{descriptor}")  # noqa: PTH112
        events.append("flush folder" if is_folder else "flush file")
        flush(descriptor)

    def replace_file(source: Path, target: Path) -> Path:
        events.append("rename")
        return rename(source, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace_file)
    save(tmp_path)
    assert events == ["flush file", "rename", "flush folder"]


class TestEngine:
    """The same through the public interface."""

    def engine(self, cache_dir: Path) -> Engine:
        return Engine.create(small_spec(), cache_dir=cache_dir)

    def rest(self, engine: Engine) -> list[RoundReport]:
        reports = []
        while not engine.is_finished:
            reports.append(engine.run_round())
        return reports

    @pytest.mark.parametrize("stop_after", [0, 1, 3])
    def test_stopped_and_resumed_equals_uninterrupted(
        self, cache_dir: Path, tmp_path: Path, stop_after: int
    ) -> None:
        whole = self.engine(cache_dir)
        expected = [timeless(report) for report in self.rest(whole)]

        first = self.engine(cache_dir)
        actual = [timeless(first.run_round()) for _ in range(stop_after)]
        first.save(tmp_path)
        second = Engine.resume(small_spec(), tmp_path, cache_dir=cache_dir)
        assert second.round_index == stop_after
        actual += [timeless(report) for report in self.rest(second)]
        assert actual == expected
        assert second.metrics == whole.metrics
        assert replace(second.totals, seconds=0) == replace(whole.totals, seconds=0)

    def test_resuming_another_spec_is_refused(self, cache_dir: Path, tmp_path: Path) -> None:
        self.engine(cache_dir).save(tmp_path)
        with pytest.raises(CheckpointError, match="another spec"):
            Engine.resume(small_spec(seed=4), tmp_path, cache_dir=cache_dir)

    def test_a_finished_run_stays_finished(self, cache_dir: Path, tmp_path: Path) -> None:
        engine = self.engine(cache_dir)
        self.rest(engine)
        engine.save(tmp_path)
        resumed = Engine.resume(small_spec(), tmp_path, cache_dir=cache_dir)
        assert resumed.is_finished
        with pytest.raises(RuntimeError):
            resumed.run_round()


def test_the_header_is_readable_without_us(tmp_path: Path, folders: Folders) -> None:
    """An operator can look into a checkpoint with any safetensors tool."""
    from safetensors import safe_open  # noqa: PLC0415

    context: RunContext = build_context(small_spec(), folders)
    state, _ = play_rounds(context, 1)
    path = save(tmp_path, state)
    with safe_open(path, framework="pt") as file:
        described = json.loads(file.metadata()["state"])
        names = [key for section in described["tensors"] for key, _ in section[2]]
        first = file.get_tensor("0")
    assert names == list(context.layout.names)
    assert torch.equal(first, state.model[names[0]])
