"""Real sites as real processes: enrolled, approved, killed, started again."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from uuid import UUID

import httpx
import yaml

from tests.waiting import wait_until
from webapp.client import Client

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 240.0


@dataclass(eq=False)
class Administrator:
    """Somebody who may invite, approve and revoke, by the API of a server."""

    url: str
    token: str
    verify: Any = True

    @classmethod
    def signed_in(cls, url: str, password: str) -> Self:
        """Return the administrator of an installation."""
        with Client(url) as client:
            made = client.create_token(
                username="admin", password=password, name="sites", expires_in_days=1, scope="admin"
            )
        return cls(url, made.token)

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = httpx.request(
            method,
            f"{self.url}/api/v1/{path}",
            json=body,
            headers={"Authorization": f"Bearer {self.token}"},
            verify=self.verify,
            timeout=60.0,
        )
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def project(self) -> str:
        """Return the id of the first project."""
        return str(self.ask("GET", "projects/")["results"][0]["id"])

    def invite(self, name: str) -> tuple[str, str]:
        """Return the id and the code of a new site."""
        made = self.ask("POST", f"projects/{self.project()}/sites/", {"name": name})
        return str(made["id"]), str(made["code"])

    def site(self, site_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.ask("GET", f"sites/{site_id}/")
        return found

    def members(self, run_id: UUID) -> dict[str, dict[str, Any]]:
        """Return the sites of a run by name, each with what it was asked last."""
        return {row["name"]: row for row in self.ask("GET", f"runs/{run_id}/sites/")}

    def used(self, run_id: UUID) -> list[list[int]]:
        """Return the clients whose updates each round has used."""
        table = self.ask("GET", f"runs/{run_id}/client-rounds/?metric=refused")
        found: list[list[int]] = [[] for _ in table["rounds"]]
        for column, place, is_refused in table["cells"]:
            if not is_refused:
                found[column].append(table["clients"][place])
        return found

    def delivered(self, run_id: UUID, site_id: str) -> list[int]:
        """Return from which rounds' models a site has made the updates that it delivered."""
        tasks = self.ask("GET", f"sites/{site_id}/tasks/?page_size=200")["results"]
        return [
            task["round_index"]
            for task in tasks
            if (task["run"], task["kind"], task["state"]) == (str(run_id), "train", "done")
        ]

    def news(self, run_id: UUID, what: str | None = None) -> list[tuple[str, str]]:
        """Return what was told of sites on a run's page: name and reason, in their order."""
        found = self.ask("GET", f"runs/{run_id}/events/?limit=500")["events"]
        return [
            (
                event["data"]["site"],
                event["data"]["what"] if what is None else event["data"]["reason"],
            )
            for event in found
            if event["kind"] == "site_changed" and what in (None, event["data"]["what"])
        ]


@dataclass(eq=False)
class SiteProcess:
    """``roundhouse site`` in a folder of its own; ``prefix`` is put before each of its commands."""

    name: str
    folder: Path
    server: str
    prefix: tuple[str, ...] = ()
    ca_file: Path | None = None
    site_id: str = ""
    threads: str = "1"
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def config(self) -> Path:
        return self.folder / "site.yaml"

    def enrol(self, administrator: Administrator) -> None:
        """Come in by an invitation, and be approved."""
        self.site_id, code = administrator.invite(self.name)
        self.folder.mkdir(parents=True, exist_ok=True)
        arguments = ["enrol", code, "--server", self.server]
        if self.ca_file is not None:
            arguments += ["--ca-file", str(self.ca_file)]
        done = subprocess.run(
            self._command(*arguments),
            cwd=ROOT,
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        shown = administrator.site(self.site_id)["fingerprint"]
        assert shown in done.stdout, "both sides show the same fingerprint"
        administrator.ask("POST", f"sites/{self.site_id}/approve/")

    def describe(self, datasets: list[dict[str, Any]], **policy: Any) -> None:
        """Write what the site declares, and let it take part without asking anybody."""
        described = yaml.safe_load(self.config.read_text())
        described |= {"datasets": datasets, "status_page": {"enabled": False}}
        self.config.write_text(yaml.safe_dump(described))
        file = self.folder / "policy.yaml"
        allowed = yaml.safe_load(file.read_text())
        allowed |= {"approval": "automatic", "max_work": {}, **policy}
        file.write_text(yaml.safe_dump(allowed))

    def start(self) -> None:
        with (self.folder / "agent.log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command("run"),
                cwd=ROOT,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def kill(self) -> None:
        """End it as a lost power supply would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(30)

    def stop(self) -> int:
        """Ask it to end, and return its exit code."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(60)
        except subprocess.TimeoutExpired:
            self.kill()
            return -1

    def close(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()

    def exit_code(self) -> int | None:
        assert self._process is not None
        return self._process.poll()

    def log(self) -> str:
        return "\n".join((self.folder / "agent.log").read_text(errors="replace").splitlines()[-30:])

    def wait_until_online(self, administrator: Administrator) -> None:
        wait_until(
            lambda: (
                administrator.site(self.site_id)["presence"] == "online"
                and bool(administrator.site(self.site_id)["datasets"])
            ),
            within_s=PATIENCE_S,
            every_s=0.3,
            what=f"a heartbeat of {self.name}",
        )

    def _command(self, *arguments: str) -> list[str]:
        command = [sys.executable, "-m", "fedcore.cli.main", "site", *arguments]
        return [*self.prefix, *command, "--config", str(self.config)]

    def _environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("ROUNDHOUSE_", "DJANGO_"))}
        own = {"ROUNDHOUSE_CACHE_DIR": str(self.folder / "cache"), "OMP_NUM_THREADS": self.threads}
        return {**kept, **own}


def write_rows(file: Path, header: list[str], rows: list[list[Any]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", newline="") as stream:
        written = csv.writer(stream)
        written.writerow(header)
        written.writerows(rows)
