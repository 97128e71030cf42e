"""The front end: its files by WhiteNoise, and its page at every other address."""

from __future__ import annotations

from http import HTTPStatus

from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.http import require_safe
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile

from webapp.security import csp_nonce

_NONCE_PLACEHOLDER = "__CSP_NONCE__"
_NOT_BUILT = """\
Roundhouse is running, but its pages are not built. Run `make setup`, then start it again.
The REST API is at /api/v1/.
"""


class StaticFilesMiddleware(WhiteNoiseMiddleware):  # type: ignore[misc]  # published without types
    """WhiteNoise, with answers that an asynchronous server can send without a detour."""

    @staticmethod
    def serve(static_file: StaticFile, request: HttpRequest) -> HttpResponseBase:
        answer: FileResponse = WhiteNoiseMiddleware.serve(static_file, request)
        # Static files are small. Read as a whole here, they need no thread per block later.
        whole = HttpResponse(answer.getvalue(), status=answer.status_code)
        # Only the file: to close the answer would tell all that the request has finished.
        if answer.file_to_stream is not None:
            answer.file_to_stream.close()
        del whole.headers["Content-Type"]
        for name, value in answer.headers.items():
            whole.headers[name] = value
        return whole


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Return the one page of the front end; what it shows is up to its own router."""
    path = settings.FRONTEND_DIR / "index.html"
    if not path.is_file():
        return HttpResponse(_NOT_BUILT, "text/plain; charset=utf-8", HTTPStatus.SERVICE_UNAVAILABLE)
    html = path.read_text(encoding="utf-8")
    response = HttpResponse(html.replace(_NONCE_PLACEHOLDER, csp_nonce(request)))
    response.headers["Cache-Control"] = "no-cache"
    return response
