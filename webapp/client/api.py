"""Requests to the REST API under ``/api/v1/``, typed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self
from uuid import UUID, uuid4

import httpx

from webapp.client.errors import ClientError
from webapp.client.models import CreatedToken, Event, EventPage, Job, RoundRow, Run, Sweep

TIMEOUT_S = 30.0
UNAVAILABLE = frozenset({502, 503, 504})


class Client:
    """One signed-in user's view of a server."""

    def __init__(
        self, url: str, token: str | None = None, *, transport: httpx.BaseTransport | None = None
    ) -> None:
        """Open a connection pool.

        Args:
            url: Address of the server, such as ``http://127.0.0.1:8000``.
            token: A token made on the Settings screen, or by ``roundhouse login``.
            transport: Replaces the network, in tests.
        """
        self.url = url.rstrip("/")
        self.token = token
        headers = {"Accept": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        self._http = httpx.Client(
            base_url=f"{self.url}/api/v1/",
            headers=headers,
            timeout=TIMEOUT_S,
            transport=transport or httpx.HTTPTransport(retries=2),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection pool."""
        self._http.close()

    def run_url(self, run_id: UUID) -> str:
        """Return the address of a run's page in the browser."""
        return f"{self.url}/runs/{run_id}"

    def is_ready(self) -> bool:
        """Return whether the server answers and its parts work."""
        try:
            return self._http.get("health/ready/").status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    def submit(self, *, name: str, spec: dict[str, Any], project: str | None = None) -> Job:
        """Create a job and launch its first run.

        The idempotency key makes a repeated request after a lost answer harmless.
        """
        return self._create_job({"name": name, "spec": spec, "launch": True}, project)

    def submit_sweep(self, *, name: str, sweep: dict[str, Any], project: str | None = None) -> Job:
        """Create a job that is a sweep, and launch its first runs."""
        return self._create_job({"name": name, "sweep": sweep}, project)

    def _create_job(self, body: dict[str, Any], project: str | None) -> Job:
        if project:
            body["project"] = project
        headers = {"Idempotency-Key": str(uuid4())}
        return Job.model_validate(self._send("POST", "jobs/", json=body, headers=headers))

    def sweep(self, job_id: UUID | str) -> Sweep:
        """Return how far a sweep has come, and its best point."""
        return Sweep.model_validate(self._send("GET", f"jobs/{job_id}/sweep/"))

    def cancel_sweep(self, job_id: UUID | str) -> Sweep:
        """End a sweep and all of its runs."""
        return Sweep.model_validate(self._send("POST", f"jobs/{job_id}/sweep/cancel/"))

    def run(self, run_id: UUID | str) -> Run:
        """Return one run as it is now."""
        return Run.model_validate(self._send("GET", f"runs/{run_id}/"))

    def runs(self, *, limit: int, state: str | None = None, search: str | None = None) -> list[Run]:
        """Return the newest runs first, at most ``limit``."""
        query = {"state": state, "search": search}
        params: dict[str, str] | None = {k: v for k, v in query.items() if v}
        address: str | None = "runs/"
        found: list[Run] = []
        while address is not None and len(found) < limit:
            page = self._send("GET", address, params=params)
            found.extend(Run.model_validate(row) for row in page["results"])
            address, params = page["next"], None  # the cursor's address carries the query
        return found[:limit]

    def control(self, run_id: UUID | str, verb: str) -> Run:
        """Ask a run to ``pause``, ``resume``, ``cancel`` ``retry`` or ``retry-failed``."""
        return Run.model_validate(self._send("POST", f"runs/{run_id}/{verb}/"))

    def rounds(self, run_id: UUID | str) -> list[RoundRow]:
        """Return the recorded rounds of a run."""
        rows = self._send("GET", f"runs/{run_id}/metrics/")["rounds"]
        return [RoundRow.model_validate(row) for row in rows]

    def events(self, run_id: UUID | str, *, after: int = 0, limit: int = 500) -> EventPage:
        """Return the stored events after a sequence number, in order."""
        params = {"after": str(after), "limit": str(limit)}
        return EventPage.model_validate(self._send("GET", f"runs/{run_id}/events/", params=params))

    def all_events(self, run_id: UUID | str, *, after: int = 0) -> Iterator[Event]:
        """Yield every stored event after a sequence number, page by page."""
        while True:
            page = self.events(run_id, after=after)
            yield from page.events
            if not page.has_more or not page.events:
                return
            after = page.events[-1].seq

    def download_model(self, run_id: UUID | str, target: Path) -> Path:
        """Write the trained model to ``target`` and return it."""
        try:
            with self._http.stream("GET", f"runs/{run_id}/model/") as response:
                if response.is_error:
                    response.read()
                _raise_for_error(response)
                with target.open("wb") as file:
                    for chunk in response.iter_bytes():
                        file.write(chunk)
        except httpx.HTTPError as error:
            raise _unreachable(self.url, error) from error
        return target

    def create_token(
        self,
        *,
        username: str,
        password: str,
        name: str,
        expires_in_days: int,
        scope: str = "run",
    ) -> CreatedToken:
        """Sign in with a password and return a new token, shown this once only.

        Its scope is ``read``, ``run`` or ``admin``.
        """
        self._send("GET", "auth/csrf/")
        self._send("POST", "auth/login/", json={"username": username, "password": password})
        body = {"name": name, "expires_in_days": expires_in_days, "scope": scope}
        return CreatedToken.model_validate(self._send("POST", "tokens/", json=body))

    def _send(
        self,
        method: str,
        address: str,
        *,
        params: dict[str, str] | None = None,
        json: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Any:
        headers = {**(headers or {}), **self._csrf_headers()}
        try:
            response = self._http.request(
                method, address, params=params, json=json, headers=headers
            )
        except httpx.HTTPError as error:
            raise _unreachable(self.url, error) from error
        _raise_for_error(response)
        return response.json() if response.content else None

    def _csrf_headers(self) -> dict[str, str]:
        """Return what session requests need; with a token there is no cookie and no header."""
        token = self._http.cookies.get("csrftoken")
        return {"X-CSRFToken": token, "Referer": f"{self.url}/"} if token else {}


def _unreachable(url: str, error: httpx.HTTPError) -> ClientError:
    reason = str(error) or type(error).__name__
    return ClientError(f"no answer from {url}: {reason}", code="unreachable")


def _raise_for_error(response: httpx.Response) -> None:
    if not response.is_error:
        return
    if response.status_code in UNAVAILABLE:
        message = f"the server is not available now (HTTP {response.status_code})"
        raise ClientError(message, code="unreachable", status=response.status_code)
    try:
        body = response.json()
    except ValueError:
        body = {}
    if not isinstance(body, dict):
        body = {}
    raise ClientError(
        str(body.get("message") or f"HTTP {response.status_code} {response.reason_phrase}"),
        code=str(body.get("code") or "error"),
        status=response.status_code,
        fields=body.get("fields") or {},
    )
