"""What can be done next with what an operation has made, as OpenAPI links.

Clients and testing tools follow them from an answer to the requests that its ids make possible.
"""

from __future__ import annotations

from typing import Any

_JOB = "/api/v1/jobs/{job_id}/"
_RUN = "/api/v1/runs/{run_id}/"
#: Of what is made (path), and where in the answer its id is: the operations that take the id.
_LINKS: list[tuple[str, str, str, list[tuple[str, str]]]] = [
    (
        "/api/v1/jobs/",
        "job_id",
        "/id",
        [("get", _JOB), ("delete", _JOB), ("get", f"{_JOB}runs/"), ("post", f"{_JOB}runs/")],
    ),
    (
        "/api/v1/jobs/",
        "run_id",
        "/runs/0/id",
        [("get", _RUN), ("patch", _RUN), ("get", f"{_RUN}events/"), ("post", f"{_RUN}cancel/")],
    ),
    (
        f"{_JOB}runs/",
        "run_id",
        "/id",
        [
            ("get", _RUN),
            *(("get", f"{_RUN}{part}/") for part in ("metrics", "clients", "logs", "artifacts")),
            *(("post", f"{_RUN}{action}/") for action in ("pause", "resume", "cancel", "retry")),
        ],
    ),
    ("/api/v1/views/", "view_id", "/id", [("delete", "/api/v1/views/{view_id}/")]),
    ("/api/v1/tokens/", "token_id", "/id", [("delete", "/api/v1/tokens/{token_id}/")]),
]


def add_links(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add the links to the schema; a hook of drf-spectacular."""
    paths = result["paths"]
    for made_at, parameter, pointer, targets in _LINKS:
        links = paths[made_at]["post"]["responses"]["201"].setdefault("links", {})
        for method, path in targets:
            name = paths[path][method]["operationId"]
            links[name] = {
                "operationId": name,
                "parameters": {parameter: f"$response.body#{pointer}"},
            }
    return result
