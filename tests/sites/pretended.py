"""The server's side of the protocol in memory, so that a test can break it at a chosen moment.

Signatures are checked and rounds are the engine's own. That the real server speaks like this is
shown where agents meet it, in ``tests/e2e`` and ``tests/faults``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from threading import Condition
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID, uuid4

import httpx
from pydantic import BaseModel

from fedcore.data.sites import Holding
from fedcore.engine import Answer, Engine, RoundReport, SiteTally
from fedcore.sites import messages as said
from fedcore.sites import routes
from fedcore.sites import tasks as work
from fedcore.sites.signing import (
    Credential,
    Request,
    fingerprint,
    is_enrolment_proven,
    is_rotation_proven,
)
from fedcore.spec import RunSpec

#: Nothing listens here: agents find no websocket, and poll.
ADDRESS = "http://127.0.0.1:9"
CODE = "a-code-that-is-good-once"
LIMITS = said.Limits(heartbeat_s=0.2, poll_s=0.02, offline_after_s=60, max_chunk_bytes=700)
WAIT_S = 20.0

Fault = Callable[[httpx.Request], httpx.Response | None]


class RefusalError(Exception):
    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status, self.code = status, code


@dataclass
class Member:
    site_id: UUID
    name: str
    public_key: str
    state: said.SiteState = said.SiteState.APPROVED
    nonces: set[str] = field(default_factory=set)
    beats: list[said.Heartbeat] = field(default_factory=list)


@dataclass
class Given:
    """A task that was given to a site, and what has come of it."""

    site_id: UUID
    task: work.Task
    payload: bytes = b""
    received: bytearray = field(default_factory=bytearray)
    is_accepted: bool = False
    ending: BaseModel | None = None


@dataclass
class PretendedServer:
    """A server with one run."""

    members: dict[UUID, Member] = field(default_factory=dict)
    given: dict[UUID, Given] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    clock_ahead_s: float = 0.0
    codes: set[str] = field(default_factory=lambda: {CODE})
    run_id: UUID = field(default_factory=uuid4)
    changed: Condition = field(default_factory=Condition)
    described: work.RunDescription | None = None

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self.answer)

    # --- rounds ----------------------------------------------------------------------------------

    def launch(self, spec: RunSpec, members: list[Member], holdings: tuple[Holding, ...]) -> Engine:
        listed = [
            work.Member(
                client_id=n, site_id=each.site_id, name=each.name, public_key=each.public_key
            )
            for n, each in enumerate(members)
        ]
        self.described = work.RunDescription(
            run_id=self.run_id,
            name="heart disease",
            project="heart",
            launched_by="ada",
            spec=spec.model_dump(mode="json"),
            spec_digest=spec.digest(),
            members=tuple(listed),
        )
        return Engine.create(spec, holdings=holdings)

    def give(
        self,
        kind: work.TaskKind,
        client_id: int,
        engine: Engine,
        payload: bytes,
        *,
        max_result_bytes: int = 10**6,
    ) -> Given:
        assert self.described is not None
        spec = RunSpec.parse(self.described.spec)
        digest = hashlib.sha256(payload).hexdigest()
        task = work.Task(
            task_id=uuid4(),
            kind=kind,
            run_id=self.run_id,
            spec_digest=self.described.spec_digest,
            dataset=spec.dataset.model_dump()["name"],
            round_index=engine.round_index,
            client_id=client_id,
            cohort_size=len(self.described.members),
            attempt=1,
            message=work.Blob(sha256=digest, size_bytes=len(payload)),
            opened_at=datetime.now(UTC),
            deadline_at=None,
            max_result_bytes=max_result_bytes,
            sum_number=1 if kind.is_secure else None,
        )
        site_id = self.described.members[client_id].site_id
        with self.changed:
            self.given[task.task_id] = given = Given(site_id, task, payload)
        return given

    def ended(self, given: list[Given]) -> list[Given]:
        """Wait until tasks are ended, and return them."""
        with self.changed:
            is_done = self.changed.wait_for(
                lambda: all(each.ending is not None for each in given), WAIT_S
            )
        assert is_done, [(each.task.kind, each.ending) for each in given]
        return given

    def play(self, engine: Engine) -> RoundReport:
        """Play a round with whoever answers."""
        assert self.described is not None
        reachable = tuple(range(len(self.described.members)))
        trained = self.ended(
            [
                self.give(work.TaskKind.TRAIN, each.client_id, engine, each.payload)
                for each in engine.assignments(reachable)
            ]
        )
        answers = {each.task.client_id: _answer(each) for each in trained}
        model = engine.model_to_test(reachable, answers)
        tested = (
            []
            if model is None
            else self.ended(
                [self.give(work.TaskKind.EVALUATE, n, engine, model) for n in reachable]
            )
        )
        tallies = {
            each.task.client_id: SiteTally(each.ending.num_examples, each.ending.tally or ())
            for each in tested
            if isinstance(each.ending, work.TaskResult)
        }
        return engine.finish_on_sites(reachable, answers, tallies)

    # --- requests --------------------------------------------------------------------------------

    def answer(self, request: httpx.Request) -> httpx.Response:
        target = request.url.raw_path.decode()
        request.read()
        self.asked.append(f"{request.method} {target}")
        for fault in list(self.faults):
            broken = fault(request)
            if broken is not None:
                return broken
        now = datetime.now(UTC).timestamp() + self.clock_ahead_s
        date = {"Date": format_datetime(datetime.fromtimestamp(now, UTC), usegmt=True)}
        try:
            found = self._handle(request, target, now)
        except RefusalError as error:
            body = {"code": error.code, "message": f"refused: {error.code}", "fields": {}}
            return httpx.Response(error.status, json=body, headers=date)
        if isinstance(found, httpx.Response):
            return found
        if found is None:
            return httpx.Response(204, headers=date)
        return httpx.Response(200, text=found.model_dump_json(), headers=date)

    def _handle(  # noqa: PLR0911  (one line for each route)
        self, request: httpx.Request, target: str, now: float
    ) -> BaseModel | httpx.Response | None:
        path, _, query = target.partition("?")
        if path == routes.ENROL:
            return self._enrol(said.EnrolmentRequest.model_validate_json(request.content))
        member = self._let_in(request, target, now)
        if path == routes.STATUS:
            return self._status(member)
        if path == routes.KEY:
            return self._rotate(member, said.KeyRotation.model_validate_json(request.content))
        if path == routes.HEARTBEAT:
            return self._hear(member, said.Heartbeat.model_validate_json(request.content))
        if member.state is not said.SiteState.APPROVED:
            raise RefusalError(403, said.ErrorCode.NOT_APPROVED)
        if path == routes.TASKS:
            return self._open_tasks(member)
        if path == routes.run(self.run_id):
            return self.described
        return self._of_task(member, request, path.removeprefix(routes.TASKS), query)

    def _hear(self, member: Member, beat: said.Heartbeat) -> BaseModel:
        member.beats.append(beat)
        wanted = {task_id for task_id, each in self.given.items() if each.ending is None}
        return said.HeartbeatReply(
            state=member.state,
            server_time=datetime.now(UTC),
            tasks=False,
            no_longer_wanted=tuple(
                each.task_id for each in beat.tasks if each.task_id not in wanted
            ),
            limits=LIMITS,
        )

    def _open_tasks(self, member: Member) -> BaseModel:
        tasks = tuple(
            each.task
            for each in list(self.given.values())
            if each.site_id == member.site_id and each.ending is None
        )
        return work.TaskList(tasks=tasks, server_time=datetime.now(UTC))

    def _of_task(
        self, member: Member, request: httpx.Request, path: str, query: str
    ) -> BaseModel | httpx.Response | None:
        name, verb, _ = path.split("/")
        given = self.given.get(UUID(name))
        if given is None or given.site_id != member.site_id:
            raise RefusalError(404, "not_found")
        if given.ending is not None:
            raise RefusalError(409, said.ErrorCode.NOT_WANTED)
        if verb == "accept":
            given.is_accepted = True
            return given.task
        if verb == "message":
            start = int(request.headers.get("Range", "bytes=0-")[6:-1])
            return httpx.Response(206 if start else 200, content=given.payload[start:])
        if verb == "upload":
            return self._upload(given, request, query)
        shapes: dict[str, type[BaseModel]] = {
            "refuse": work.Refusal,
            "fail": work.TaskFailure,
            "result": work.TaskResult,
        }
        ending = shapes[verb].model_validate_json(request.content)
        announced = getattr(ending, "sha256", None)
        if announced not in (None, hashlib.sha256(given.received).hexdigest()):
            given.received.clear()
            raise RefusalError(422, said.ErrorCode.CHECKSUM)
        with self.changed:
            given.ending = ending
            self.changed.notify_all()
        return None

    @staticmethod
    def _upload(given: Given, request: httpx.Request, query: str) -> BaseModel:
        if request.method == "PUT":
            if int(parse_qs(query)["offset"][0]) != len(given.received):
                raise RefusalError(409, said.ErrorCode.WRONG_OFFSET)
            assert len(request.content) <= LIMITS.max_chunk_bytes
            given.received += request.content
        return work.UploadState(received_bytes=len(given.received))

    # --- identities ------------------------------------------------------------------------------

    def _enrol(self, asked: said.EnrolmentRequest) -> BaseModel:
        if asked.code not in self.codes:
            raise RefusalError(404, said.ErrorCode.CODE_INVALID)
        assert is_enrolment_proven(asked.public_key, asked.code, asked.proof)
        self.codes.remove(asked.code)
        member = Member(uuid4(), f"site-{len(self.members)}", asked.public_key)
        member.state = said.SiteState.PENDING
        self.members[member.site_id] = member
        return said.EnrolmentReply.model_validate(self._status(member).model_dump())

    def _status(self, member: Member) -> said.SiteStatus:
        return said.SiteStatus(
            protocol=1,
            site_id=member.site_id,
            name=member.name,
            project="heart",
            state=member.state,
            fingerprint=fingerprint(member.public_key),
            server_time=datetime.now(UTC),
            limits=LIMITS,
        )

    def _rotate(self, member: Member, asked: said.KeyRotation) -> BaseModel:
        assert is_rotation_proven(asked.public_key, member.site_id, asked.proof)
        member.public_key = asked.public_key
        return self._status(member)

    def _let_in(self, request: httpx.Request, target: str, now: float) -> Member:
        credential = Credential.of_header(request.headers["Authorization"])
        member = self.members.get(credential.site_id)
        signed = Request(request.method, target, request.content)
        if member is None or not signed.is_signed(credential, bytes.fromhex(member.public_key)):
            raise RefusalError(401, said.ErrorCode.BAD_SIGNATURE)
        if abs(credential.time - now) > 120:
            raise RefusalError(401, said.ErrorCode.CLOCK_SKEW)
        if credential.nonce in member.nonces:
            raise RefusalError(401, said.ErrorCode.REPLAYED)
        member.nonces.add(credential.nonce)
        if member.state is said.SiteState.REVOKED:
            raise RefusalError(403, said.ErrorCode.REVOKED)
        return member


def _answer(given: Given) -> Answer:
    ending: Any = given.ending
    if isinstance(ending, work.TaskResult):
        return Answer(lambda: bytes(given.received), ending.seconds)
    return Answer(reason=ending.message, status="refused")
