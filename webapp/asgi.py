"""What a server runs: HTTP by Django, websockets by Channels."""

from __future__ import annotations

import gc
import os
from threading import Thread
from typing import TYPE_CHECKING, cast

import django
from channels.routing import ProtocolTypeRouter, URLRouter

if TYPE_CHECKING:
    from asgiref.typing import ASGI3Application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings.base")
django.setup(set_prefix=False)

# Models can be imported only after Django is set up.
from webapp.accounts.connections import OwnPagesOnly  # noqa: E402
from webapp.api.body_limit import BodyLimit  # noqa: E402
from webapp.intents.lexicon import warm_up  # noqa: E402
from webapp.request_threads import Handler  # noqa: E402
from webapp.urls import websocket_urlpatterns  # noqa: E402

# The first prompt must not wait for the dictionaries, nor the first page.
Thread(target=warm_up, name="lexicon", daemon=True).start()

application = ProtocolTypeRouter(
    {
        "http": BodyLimit(cast("ASGI3Application", Handler())),
        "websocket": OwnPagesOnly(URLRouter(websocket_urlpatterns)),  # type: ignore[arg-type]
    }
)

# All that is loaded by now stays: looking through it for garbage would hold up everybody.
gc.freeze()
