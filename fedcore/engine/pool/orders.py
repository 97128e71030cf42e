"""Orders for a pool, packed one by one while its processes work."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from fedcore.engine.pool.packing import Packed, encoded

#: So many bytes fit into a connection whose other end does not read.
HELD_BYTES = 1 << 15


class Orders:
    """Hands out orders to processes that have nothing to do, and to others one in advance."""

    def __init__(self, orders: Iterable[Callable[[], Packed]], num_processes: int) -> None:
        """Take functions that return orders, in their order.

        The last ones, one for each process, are kept for whoever is idle first, so that all end at
        about one time.
        """
        self._orders = deque(orders)
        self._num_last = num_processes
        self._next: bytes | None = None

    def due(self) -> bytes | None:
        """Return the next order, encoded; None if there is none."""
        if self._next is None and self._orders:
            self._next = encoded(self._orders.popleft()())
        order, self._next = self._next, None
        return order

    def early(self) -> bytes | None:
        """Return an order for a process that still works; None if it is better to wait.

        Its connection holds the order meanwhile, which a long one does not fit into: two processes
        that both wait until the other reads would wait for ever.
        """
        if len(self._orders) <= self._num_last:
            return None
        order = self.due()
        if order is not None and len(order) > HELD_BYTES:
            self._next, order = order, None
        return order
