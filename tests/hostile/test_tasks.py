"""Hostile messages to a worker: each is refused, and the worker goes on to the next one."""

from __future__ import annotations

import base64
import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from celery import signals
from celery.contrib.testing.worker import start_worker
from django.conf import settings as django_settings

import workers.previews
import workers.runs
import workers.upkeep  # noqa: F401
from tests.factories import make_member, make_project, make_run, train
from tests.hostile.bodies import pickle_that_writes
from tests.hostile.conftest import Note, rows
from webapp.celery import app
from workers.consuming import StrictConsumer

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        not django_settings.CELERY_BROKER_URL.startswith("filesystem"),
        reason="other processes listen to a broker of the machine",
    ),
]
WITHIN_S = 30.0
JSON = "application/json"


@dataclass(frozen=True)
class Attack:
    """One message as it lies in the broker."""

    kind: str
    body: bytes
    headers: dict[str, Any] = field(default_factory=dict)
    content_type: str = JSON
    encoding: str = "utf-8"


def task(name: str, args: Any, kwargs: Any = None, embed: Any = None, **headers: Any) -> Attack:
    """Return a message to a task in Celery's second protocol."""
    content = [args, {} if kwargs is None else kwargs, {} if embed is None else embed]
    task_id = str(uuid4())
    fields = {"lang": "py", "task": name, "id": task_id, "root_id": task_id, **headers}
    return Attack("", json.dumps(content).encode(), fields)


def named(kind: str, *attacks: Attack) -> list[Attack]:
    return [Attack(kind, a.body, a.headers, a.content_type, a.encoding) for a in attacks]


def attacks(canary: Path) -> list[Attack]:
    header = {"lang": "py", "task": "runs.advance", "id": str(uuid4())}
    pickled = pickle_that_writes(canary)
    good_id = str(uuid4())
    not_ids: list[Any] = [
        *("", "x", "../../etc/passwd", "' OR 1=1--", "\x00", good_id + "\n", good_id.upper()),
        *(f"{{{good_id}}}", "x" * 100_000, "\u0661" * 32, "${jndi:ldap://x}", "%s%s%s%n"),
        *(None, 7, True, 1.5, [], [good_id], {}, {"__class__": "x"}, {"$ne": None}),
    ]
    return [
        *named(
            "pickles and other encodings",
            Attack("", pickled, header, "application/x-python-serialize", "binary"),
            Attack("", pickled, header, JSON, "binary"),
            Attack("", pickled, header, "application/x-yaml", "utf-8"),
            Attack("", b"!!python/object/apply:os.system ['id']", header, "application/x-yaml"),
            Attack("", b"\x93\x90\x80\x80", header, "application/x-msgpack", "binary"),
            Attack("", pickled, header, "x/evil", "binary"),
            Attack("", pickled, header, "application/x-python-serialize; x", "utf-8"),
        ),
        *named(
            "bytes that are no JSON",
            *(
                Attack("", body, header)
                for body in (b"", b"{", b"nonsense", b"\xff\xfe", b"[[NaN", b"[" * 100_000, b"\x00")
            ),
        ),
        *named(
            "JSON of another shape",
            *(
                Attack("", body, header)
                for body in (
                    *(b"[]", b"{}", b'"x"', b"7", b"null", b"[1,2]", b"[1,2,3]", b"[[],[],[],[]]"),
                    *(b'["x",{},{}]', b"[[],7,{}]", b"[[],{},7]", b'{"args":[]}', b"[{},[],{}]"),
                )
            ),
        ),
        *named(
            "tasks that are none",
            *(
                task(name, [good_id])
                for name in (
                    *("os.system", "runs.delete", "", "webapp.jobs.services.cancel_run", "runs"),
                    *(
                        "__import__",
                        "celery.worker.control.shutdown",
                        "../runs.advance",
                        "x" * 9_000,
                    ),
                )
            ),
            Attack("", json.dumps([[], {}, {}]).encode(), {}),
            Attack("", json.dumps([[], {}, {}]).encode(), {"task": None, "id": "x"}),
            Attack("", json.dumps([[], {}, {}]).encode(), {"task": ["runs.advance"], "id": "x"}),
        ),
        *named("ids that are none", *(task("runs.advance", [value]) for value in not_ids)),
        *named(
            "arguments that are none",
            *(
                task(name, args)
                for name in ("runs.train_chunk", "sweeps.advance", "previews.partition")
                for args in (["x"], [], [good_id, good_id], [[good_id]], [None])
            ),
            *(task(name, ["x"]) for name in ("upkeep.reconcile", "upkeep.discard_old")),
            task("runs.advance", [], {"run_id": good_id}),
            task("runs.advance", [good_id], {"engines": "x"}),
            *(
                task("runs.advance", [good_id], None, {name: [{"task": "os.system"}]})
                for name in ("chain", "callbacks", "errbacks", "chord")
            ),
            task("runs.advance", [good_id], {"self": "x", "__class__": "y"}),
        ),
        *named(
            "first protocol",
            *(
                Attack("", json.dumps(body).encode())
                for body in (
                    {"task": "os.system", "id": "x", "args": ["id"], "kwargs": {}},
                    {"task": "runs.advance", "id": "x", "args": ["x"], "kwargs": {}},
                    {"task": "runs.advance", "id": "x", "args": "x", "kwargs": 7},
                    {"task": "runs.advance"},
                    {"method": "shutdown", "arguments": {}},
                )
            ),
        ),
    ]


class Witness:
    """What a worker said about the messages since the last question."""

    def __init__(self) -> None:
        self.outcomes: list[str] = []
        self.probed = threading.Event()
        self.probe_id = ""

    def on_success(self, sender: Any, **_: Any) -> None:
        if sender.request.id == self.probe_id:
            self.probed.set()
        else:
            self.outcomes.append(f"done {sender.name}")

    def on_failure(self, exception: BaseException, **_: Any) -> None:
        self.outcomes.append(type(exception).__name__)

    def on_rejected(self, exc: Any = None, **_: Any) -> None:
        self.outcomes.append(f"rejected {type(exc).__name__ if exc else ''}".strip())

    def on_unknown(self, **_: Any) -> None:
        self.outcomes.append("unknown task")


class Overheard(logging.Handler):
    """Hears what the consumer says of messages that never become a task."""

    def __init__(self, witness: Witness) -> None:
        super().__init__(logging.WARNING)
        self.witness = witness

    def emit(self, record: logging.LogRecord) -> None:
        said: Any = record.msg
        if isinstance(said, dict) and said["event"] == "message refused":
            self.witness.outcomes.append(said["problem"])


@contextmanager
def a_worker() -> Iterator[Witness]:
    """A worker in a thread, with somebody who listens to what it does."""
    witness = Witness()
    heard = Overheard(witness)
    receivers = (
        (signals.task_success, witness.on_success),
        (signals.task_failure, witness.on_failure),
        (signals.task_rejected, witness.on_rejected),
        (signals.task_unknown, witness.on_unknown),
    )
    for signal, receiver in receivers:
        signal.connect(receiver, weak=False)
    logger = logging.getLogger("workers.consuming")
    logger.addHandler(heard)
    try:
        with start_worker(
            app,
            pool="solo",
            consumer_cls=StrictConsumer,
            perform_ping_check=False,
            shutdown_timeout=WITHIN_S,
        ):
            yield witness
    finally:
        logger.removeHandler(heard)
        for signal, receiver in receivers:
            signal.disconnect(receiver)


def publish(attack: Attack) -> None:
    with app.connection_for_write() as connection:
        channel: Any = connection.channel()
        message = channel.prepare_message(
            base64.b64encode(attack.body).decode(),
            content_type=attack.content_type,
            content_encoding=attack.encoding,
            headers=attack.headers,
            properties={"delivery_mode": 2, "correlation_id": str(uuid4())},
        )
        message["properties"]["body_encoding"] = "base64"
        message["properties"]["delivery_info"] = {"exchange": "", "routing_key": "cpu"}
        message["properties"]["delivery_tag"] = str(uuid4())
        channel._put("cpu", message)  # noqa: SLF001  (as somebody does who can write the folder)


def probe(witness: Witness) -> None:
    """Send something honest, and wait until the worker has done it."""
    witness.probed.clear()
    witness.probe_id = str(uuid4())
    app.send_task("previews.partition", args=["0" * 64], queue="cpu", task_id=witness.probe_id)
    assert witness.probed.wait(WITHIN_S), "the worker no longer answers"


@pytest.mark.timeout(300)
def test_messages_are_refused_one_by_one_and_the_worker_goes_on(
    tried: Note, tmp_path: Path
) -> None:
    project = make_project()
    run = train(make_run(make_member(project), project), 0.1, 0.2, 0.3)
    before, canary = rows(), tmp_path / "canary"
    with a_worker() as witness:
        probe(witness)
        for attack in attacks(canary):
            witness.outcomes.clear()
            publish(attack)
            probe(witness)
            assert witness.outcomes, f"nobody refused {attack}"
            assert not [said for said in witness.outcomes if said.startswith("done")], attack
            assert not canary.exists(), attack
            tried("tasks", attack.kind, witness.outcomes[0])
    assert rows() == before
    run.refresh_from_db()
    assert run.state == "succeeded"


FILES = [b"", b"{", b"\xff\xfe", b"[]", b"null", b'{"body":1}', b"[" * 100_000, b"x" * 300_000]


def test_files_that_are_no_messages_are_set_aside(tried: Note) -> None:
    folder = Path(app.conf.broker_transport_options["data_folder_in"])
    with a_worker() as witness:
        for number, content in enumerate(FILES):
            (folder / f"{number:020d}-evil.cpu.msg").write_bytes(content)
            probe(witness)
            assert not list(folder.glob("*evil*"))
            tried("tasks", "files that are no messages", "set aside")
