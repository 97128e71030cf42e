"""Two of kombu's brokers, mended: messages as files when embedded, and Redis.

Kombu's file-system transport writes a message under its final name, so that a consumer that looks
at the wrong moment reads half of it and stops. Here a message appears, and is claimed, by a rename:
a crash can lose one but never damage one.

Its Redis transport counts a message as under way until Redis has confirmed that it is done. When
Redis is away just then, the worker waits for ever for a message that nobody will send. Here the
message is no longer counted, whatever Redis says.
"""

from __future__ import annotations

import math
import os
import uuid
from pathlib import Path
from queue import Empty
from threading import Event
from time import monotonic, time_ns
from typing import Any

import structlog
from kombu.transport import filesystem, redis, virtual
from kombu.utils.json import dumps, loads
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)

#: A message of ours holds one id.
_MAX_MESSAGE_BYTES = 256 * 1024
#: Seconds between two looks for messages, and shortly after the work on one is over.
_POLL_S = 0.02
_BRISK_S = 0.002
_BRISK_FOR_S = 0.5


class SpoolChannel(filesystem.Channel):
    def _put(  # type: ignore[override]  # the two parents name the argument differently
        self, queue: str, payload: dict[str, Any], **_: object
    ) -> None:
        """Add a message; names sort by age, so that the oldest is served first."""
        folder = Path(self.data_folder_out)
        name = f"{time_ns():020d}-{uuid.uuid4().hex}.{queue}.msg"
        draft = folder / f".{name}.draft"
        draft.write_text(dumps(payload), encoding="utf-8")
        draft.rename(folder / name)

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        """Return the oldest message; of several consumers, the one whose rename works has it."""
        del timeout  # kombu's polling loop waits, not the channel
        folder = Path(self.data_folder_in)
        suffix = f".{queue}.msg"
        names = (path.name for path in folder.iterdir() if path.name.endswith(suffix))
        for name in sorted(names):
            claimed = Path(self.processed_folder) / f"{os.getpid()}-{name}"
            try:
                (folder / name).rename(claimed)
            except FileNotFoundError:
                continue
            content = claimed.read_bytes()
            claimed.unlink()
            message = _message_in(content)
            if message is not None:
                return message
            log.warning("message refused", file=name, size_bytes=len(content))
        raise Empty

    def basic_ack(self, delivery_tag: str, multiple: bool = False) -> None:  # noqa: FBT001, FBT002
        """Note that the work on a message is over, and have the next one looked for at once."""
        super().basic_ack(delivery_tag, multiple)
        if isinstance(self.connection, SpoolTransport):
            self.connection.look_now()


def _message_in(content: bytes) -> Any:
    """Return the message that a file holds, or None if it holds none: a bad file stops nobody."""
    if len(content) > _MAX_MESSAGE_BYTES:
        return None
    try:
        message = loads(content.decode("utf-8"))
    except (ValueError, RecursionError, KeyError, TypeError):
        return None
    is_whole = isinstance(message, dict) and isinstance(message.get("properties"), dict)
    return message if is_whole and "body" in message else None


class SpoolTransport(filesystem.Transport):
    """Looks for messages often when others tend to follow, and seldom while it may take none.

    The next message tends to come soon after the work on the last one is over. During that work
    each look would only take the processor from it.
    """

    Channel = SpoolChannel
    _busy_at = -math.inf

    def __init__(self, client: Any, **options: Any) -> None:
        super().__init__(client, **options)
        self._is_time = Event()

    def drain_events(self, connection: Any, timeout: float | None = None) -> None:  # type: ignore[override]  # of the two parents, the one that is called
        """Deliver one message.

        Raises:
            TimeoutError: If none has come.
        """
        del connection
        if self.cycle is None:
            raise RuntimeError("nobody has asked for messages")
        until = math.inf if timeout is None else monotonic() + timeout
        while True:
            try:
                self.cycle.get(self._deliver, timeout=timeout)
            except Empty:
                now = monotonic()
            else:
                self._busy_at = monotonic()
                return
            if now >= until:
                raise TimeoutError
            self._is_time.wait(min(self._pause_s(now), until - now))
            self._is_time.clear()

    def look_now(self) -> None:
        """End the pause before the next look, from whichever thread."""
        self._is_time.set()

    def _pause_s(self, now: float) -> float:
        """Return the seconds until the next look."""
        if not all(channel.qos.can_consume() for channel in self.channels or ()):
            self._busy_at = now
            return _POLL_S
        return _BRISK_S if now - self._busy_at < _BRISK_FOR_S else _POLL_S


def spool_options(folder: Path) -> dict[str, Any]:
    """Return the transport's options, with the folders made."""
    folders = {name: folder / name for name in ("messages", "claimed", "control")}
    for path in folders.values():
        path.mkdir(parents=True, exist_ok=True)
    return {
        "data_folder_in": str(folders["messages"]),
        "data_folder_out": str(folders["messages"]),
        "processed_folder": str(folders["claimed"]),
        "control_folder": str(folders["control"]),
    }


class RedisQoS(redis.QoS):
    """Counts the messages that a worker has taken, also when Redis cannot be told of their end.

    A worker takes one at a time. If it still counted one whose end Redis has not heard of, it would
    take no other, and as it then reads nothing it would never find its connection broken either.
    A Redis that has forgotten nothing delivers the message again, which the run's lease makes
    harmless.
    """

    def ack(self, delivery_tag: str) -> None:
        try:
            super().ack(delivery_tag)
        except (RedisError, OSError):
            virtual.QoS.ack(self, delivery_tag)
            raise

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:  # noqa: FBT001, FBT002
        try:
            super().reject(delivery_tag, requeue=requeue)
        except (RedisError, OSError):
            virtual.QoS.ack(self, delivery_tag)
            raise


class RedisChannel(redis.Channel):
    QoS = RedisQoS


class RedisTransport(redis.Transport):
    Channel = RedisChannel
