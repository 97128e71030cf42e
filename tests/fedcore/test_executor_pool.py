"""A pool of processes computes what one process computes, ends when it should, and says why not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
import torch

from fedcore.clients.trainer import AUTOGRAD
from fedcore.clients.training import Interrupted
from fedcore.engine.context import RunContext, build_context, initial_state
from fedcore.engine.pool import PoolExecutor, Processes
from fedcore.engine.pool.arena import Arena, Flag
from fedcore.engine.pool.orders import HELD_BYTES, Orders
from fedcore.engine.rounds import play_round
from fedcore.environment import Folders
from fedcore.errors import WorkerLostError
from fedcore.spec import RunSpec
from fedcore.state import RunState
from tests.fedcore.runs import assert_same_report, assert_same_state, never, play, small_spec

needs_proc = pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs a /proc")
START_S = 100.0
END_S = 20.0
MANY: dict[str, Any] = {"partition": {"kind": "dirichlet", "clients": 40, "alpha": 0.5}}
TOPK: dict[str, Any] = {"kind": "topk", "ratio": 0.05}
#: What travels in different ways: partial means and the codecs' memory, the methods' memory,
#: gathered updates, accumulators that do not travel.
CASES: dict[str, dict[str, Any]] = {
    "means": {
        "local": {"epochs": 2, "batch_size": 7, "momentum": 0.5},
        "compression": {"uplink": [TOPK, {"kind": "sign"}]},
    },
    "scaffold": {"algorithm": {"kind": "scaffold"}},
    "gathered": {
        "aggregation": {"kind": "median"},
        "compression": {"uplink": [TOPK], "downlink": [{"kind": "quantize"}]},
        "attack": {"kind": "additive_noise", "fraction": 0.5},
    },
    "clipped": {
        "aggregation": {"kind": "centered_clipping", "radius": 1.0},
        "compression": {
            "uplink": [{"kind": "dgc", "ratio": 0.05, "clip_norm": 1.0}, {"kind": "qsgd"}],
            "downlink": [{"kind": "topk", "ratio": 0.2}],
        },
        "attack": {"kind": "label_flip", "fraction": 0.5},
    },
}


@contextmanager
def started(spec: RunSpec, folders: Folders, count: int = 2) -> Iterator[Processes]:
    processes = Processes(spec, folders, AUTOGRAD.name, count)
    try:
        assert processes.is_ready(START_S)
        yield processes
    finally:
        processes.close()


@contextmanager
def pool(context: RunContext, folders: Folders) -> Iterator[PoolExecutor]:
    with started(context.spec, folders) as processes:
        yield PoolExecutor(context, AUTOGRAD, processes)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline, pause = monotonic() + END_S, threading.Event()
    while not condition():
        assert monotonic() < deadline, "it did not happen in time"
        pause.wait(0.02)


def is_gone(pid: int) -> bool:
    """Return whether a process has ended, be it that nobody has asked for its status yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")")[-1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")")[-1].split()[1])


@pytest.mark.parametrize("case", CASES)
def test_a_pool_gives_the_same_bits_as_one_process(case: str, folders: Folders) -> None:
    context = build_context(small_spec(**MANY, **CASES[case]), folders)
    alone = together = initial_state(context)
    with pool(context, folders) as executor:
        for _ in range(3):
            alone, report = play(context, alone)
            together, pooled = play_round(context, together, executor, never)
            assert pooled.executor == "pool of 2"
            assert_same_state(alone, together)
            assert_same_report(report, replace(pooled, executor=report.executor))


def test_clients_that_diverge_are_refused_with_the_same_reasons(folders: Folders) -> None:
    local = {"epochs": 2, "batch_size": 1, "lr": 1000.0, "weight_decay": 10.0}
    context = build_context(small_spec(**MANY, local=local), folders)
    reasons: list[Any] = []
    with pool(context, folders) as executor:
        for run in (play, lambda c, s: play_round(c, s, executor, never)):
            with pytest.raises(Exception, match="updates it needs") as failure:
                run(context, initial_state(context))
            reasons.append(vars(failure.value)["context"]["reasons"])
    assert reasons[0]
    assert reasons[0] == reasons[1]


def test_an_interrupted_round_leaves_no_trace(folders: Folders) -> None:
    local = {"epochs": 200, "batch_size": 1}
    context = build_context(small_spec(**MANY, local=local), folders)
    state = initial_state(context)
    before = state.model.flat.clone()
    asked = 0

    def soon() -> bool:
        nonlocal asked
        asked += 1
        return asked > 2

    with pool(context, folders) as executor:
        with pytest.raises(Interrupted):
            play_round(context, state, executor, soon)
        assert torch.equal(state.model.flat, before)
        quick = replace(context, spec=context.spec)
        losses = executor.score(state.model, never)  # the processes are at our service again
        assert len(losses) == len(quick.dataset.test)


def test_a_worker_that_is_killed_is_a_named_failure(folders: Folders) -> None:
    local = {"epochs": 2000, "batch_size": 1}
    context = build_context(small_spec(**MANY, local=local), folders)
    with started(context.spec, folders) as processes:
        executor = PoolExecutor(context, AUTOGRAD, processes)
        threading.Timer(0.5, os.kill, (processes.pids[1], signal.SIGKILL)).start()
        with pytest.raises(WorkerLostError, match="killed by signal 9") as failure:
            play_round(context, initial_state(context), executor, never)
        assert failure.value.fix is not None
        assert "memory" in failure.value.fix


@needs_proc
def test_when_the_nursery_dies_its_workers_do_and_the_caller_hears_of_it(folders: Folders) -> None:
    context = build_context(small_spec(**MANY), folders)
    with started(context.spec, folders) as processes:
        executor = PoolExecutor(context, AUTOGRAD, processes)
        nursery = parent_of(processes.pids[0])
        os.kill(nursery, signal.SIGKILL)
        wait_until(lambda: all(is_gone(pid) for pid in processes.pids))
        with pytest.raises(WorkerLostError, match="killed by signal 9"):
            play_round(context, initial_state(context), executor, never)


@needs_proc
def test_a_pool_works_from_a_thread_and_closing_leaves_no_process(folders: Folders) -> None:
    context = build_context(small_spec(**MANY), folders)
    found: list[RunState] = []
    pids: list[int] = []

    def work() -> None:
        with started(context.spec, folders) as processes:
            pids.extend((*processes.pids, parent_of(processes.pids[0])))
            assert not any(map(is_gone, pids))
            executor = PoolExecutor(context, AUTOGRAD, processes)
            found.append(play_round(context, initial_state(context), executor, never)[0])
        assert all(map(is_gone, pids))
        processes.close()  # twice is no harm
        pids.clear()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(START_S)
    assert not pids, "an assertion in the thread has failed"
    assert_same_state(found[0], play(context, initial_state(context))[0])


@needs_proc
def test_a_pool_neither_runs_the_callers_main_module_nor_outlives_it(
    folders: Folders, tmp_path: Path
) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        """
import sys
from pathlib import Path
print("begun", flush=True)
from fedcore.engine.pool import Processes
from fedcore.environment import Folders
from fedcore.spec import RunSpec
processes = Processes(RunSpec(), Folders(None, Path(sys.argv[1])), "autograd", 2)
assert processes.is_ready(100)
print(*processes.pids, flush=True)
sys.stdin.read()
"""
    )
    with subprocess.Popen(
        [sys.executable, str(script), str(folders.cache)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as caller:
        assert caller.stdout is not None
        assert caller.stdout.readline() == "begun\n"
        pids = [int(pid) for pid in caller.stdout.readline().split()]
        assert len(pids) == 2
        caller.kill()
        wait_until(lambda: all(map(is_gone, pids)))
        assert caller.stdout.read() == ""


def test_processes_that_cannot_start_say_why(folders: Folders) -> None:
    spec = small_spec(runtime={"device": "cuda"})
    if torch.cuda.is_available():
        pytest.skip("needs a machine without a GPU")
    processes = Processes(spec, folders, AUTOGRAD.name, 1)
    try:
        with pytest.raises(WorkerLostError, match="no CUDA device"):
            processes.is_ready(START_S)
    finally:
        processes.close()


def numbered(count: int, padding: int = 0) -> list[Callable[[], dict[str, Any]]]:
    return [partial(dict, number=number, padding="x" * padding) for number in range(count)]


def test_orders_are_given_in_advance_but_for_the_last_ones() -> None:
    orders = Orders(numbered(5), num_processes=2)
    taken = [orders.due(), orders.due(), orders.early(), orders.early(), orders.due()]
    numbers = [None if order is None else json.loads(order)["number"] for order in taken]
    assert numbers == [0, 1, 2, None, 3]
    assert orders.due() is not None
    assert orders.due() is None


def test_a_long_order_waits_until_somebody_reads_it() -> None:
    orders = Orders(numbered(5, padding=HELD_BYTES), num_processes=1)
    assert orders.early() is None
    order = orders.due()
    assert order is not None
    assert json.loads(order)["number"] == 0


def test_an_arena_grows_and_both_sides_see_it() -> None:
    writer = Arena.create()
    reader = Arena(os.dup(writer.descriptor))
    small, large = torch.arange(5), torch.randn(1000, 1000)
    places = [writer.put(small), writer.put(large)]
    assert torch.equal(reader.get(places[0]), small)
    assert torch.equal(reader.get(places[1]), large)
    assert places[1][0] % 64 == 0
    writer.forget()
    assert writer.put(small) == places[0]
    writer.close()
    reader.close()


def test_a_flag_is_seen_by_others() -> None:
    flag = Flag.create()
    other = Flag(os.dup(flag.descriptor))
    flag.raise_()
    assert other.is_up()
    flag.lower()
    assert not other.is_up()
    flag.close()
    other.close()
