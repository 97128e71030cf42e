"""The Celery application: how hints travel from the web process to the workers.

A message carries ids only and may be lost, delayed or delivered twice: the database is the truth,
and upkeep sends again what has not been acted on.
"""

from __future__ import annotations

import os
from ssl import CERT_REQUIRED
from typing import Any

from celery import Celery
from kombu import Queue

from webapp.broker import spool_options
from webapp.settings.env import Environment, load_environment

QUEUES = ("cpu", "gpu", "upkeep")

#: A Redis broker hands a message out again when it has not been acknowledged for so long. Longer
#: than any task but a round of hours; and then the run's lease makes the second delivery harmless.
VISIBILITY_TIMEOUT_S = 3600
HEARTBEAT_S = 30
#: A broker that has taken a message and does not say so may have lost it.
CONFIRM_TIMEOUT_S = 5.0
#: A message that cannot be sent is given up after some seconds; the reconciler follows.
PUBLISH_RETRY = {"max_retries": 3, "interval_start": 0.1, "interval_step": 0.2, "interval_max": 0.5}


def celery_settings(environment: Environment) -> dict[str, Any]:
    """Return Celery's settings for this installation."""
    return {
        **_broker_settings(environment),
        "accept_content": ["json"],
        "task_serializer": "json",
        "task_ignore_result": True,
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "worker_prefetch_multiplier": 1,
        "task_queues": tuple(Queue(name) for name in QUEUES),
        "task_default_queue": "cpu",
        "task_create_missing_queues": False,
        "task_publish_retry_policy": PUBLISH_RETRY,
        "broker_heartbeat": HEARTBEAT_S,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        # State, load and progress are rows in the database; nothing reads Celery's own channels.
        "worker_enable_remote_control": False,
        "worker_send_task_events": False,
        "worker_hijack_root_logger": False,
        "enable_utc": True,
        "timezone": "UTC",
    }


def _broker_settings(environment: Environment) -> dict[str, Any]:
    url = environment.broker_url.get_secret_value() if environment.broker_url else "filesystem://"
    scheme = url.partition("://")[0]
    if scheme == "filesystem":
        return {
            "broker_url": "filesystem://localhost",  # kombu wants a host, though none is asked
            "broker_transport": "webapp.broker:SpoolTransport",
            "broker_transport_options": spool_options(environment.var / "broker"),
        }
    if scheme in ("redis", "rediss"):
        return {
            "broker_url": url,
            "broker_transport": "webapp.broker:RedisTransport",
            "broker_transport_options": {
                "visibility_timeout": VISIBILITY_TIMEOUT_S,
                "socket_keepalive": True,
                "socket_connect_timeout": CONFIRM_TIMEOUT_S,
                # Longer than a worker waits for the next message in one go, which is a second.
                "socket_timeout": 2 * CONFIRM_TIMEOUT_S,
            },
            # Unless the address says otherwise: rediss://…?ssl_cert_reqs=none
            **({"broker_use_ssl": {"ssl_cert_reqs": CERT_REQUIRED}} if scheme == "rediss" else {}),
        }
    confirmed = {"confirm_publish": True} if scheme in ("amqp", "amqps") else {}
    return {"broker_url": url, "broker_transport_options": confirmed}


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings.base")

app = Celery("roundhouse")
app.conf.update(celery_settings(load_environment()))
