"""The Redis broker: a worker's message ends for the worker, whether or not Redis hears of it."""

from __future__ import annotations

from ssl import CERT_NONE, CERT_REQUIRED
from typing import Any

import pytest
from celery import Celery
from kombu import Connection, Queue
from pydantic import SecretStr
from redis.exceptions import ConnectionError as RedisConnectionError

from tests.faults.own_servers import OwnServer, own_redis
from webapp.celery import celery_settings
from webapp.settings.env import Environment

QUEUE = "cpu"


@pytest.fixture
def server() -> Any:
    with own_redis() as server:
        if server is None:
            pytest.skip("there is no redis-server on this machine")
        yield server


def options(url: str) -> dict[str, Any]:
    return celery_settings(Environment(broker_url=SecretStr(url)))


@pytest.mark.parametrize("settle", ["ack", "reject", "requeue"])
def test_a_message_is_under_way_no_longer_when_its_end_cannot_be_told(
    server: OwnServer, settle: str
) -> None:
    transport = options(server.url)["broker_transport"]
    with Connection(server.url, transport=transport) as connection:
        channel: Any = connection.channel()
        channel.basic_qos(0, 1, False)  # noqa: FBT003 (kombu's signature)
        connection.Producer(channel).publish({}, routing_key=QUEUE, declare=[Queue(QUEUE)])
        message = Queue(QUEUE, channel=channel)(channel).get(no_ack=False)
        assert message is not None
        assert not channel.qos.can_consume()
        server.crash()
        with pytest.raises(RedisConnectionError):
            getattr(message, settle)()
        assert channel.qos.can_consume()


@pytest.mark.parametrize(
    ("query", "expected"), [("", CERT_REQUIRED), ("?ssl_cert_reqs=none", CERT_NONE)]
)
def test_a_redis_broker_is_reached_by_tls_where_its_address_says_so(
    query: str, expected: int
) -> None:
    app = Celery()
    app.conf.update(options(f"rediss://127.0.0.1:1/0{query}"))
    connection: Any = app.connection_for_write()
    assert connection.ssl["ssl_cert_reqs"] == expected
    assert connection.transport.Channel.__module__ == "webapp.broker"
