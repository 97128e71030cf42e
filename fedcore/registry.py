"""Which class implements which spec; one registry per section of the spec.

Filled at import by a decorator on each implementation and never changed afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Generic, TypeVar

from fedcore.spec import Choice

T = TypeVar("T")
U = TypeVar("U")


class Registry(Generic[T]):
    """Implementations of one family of specs, keyed by spec class."""

    def __init__(self, family: type[Choice]) -> None:
        self.family = family
        self._implementations: dict[type[Choice], T] = {}

    def implements(self, spec_class: type[Choice]) -> Callable[[U], U]:
        """Register the decorated class or function as the implementation of a spec class.

        Raises:
            TypeError: If the spec class is of another family or has an implementation already.
        """

        def register(implementation: U) -> U:
            if not issubclass(spec_class, self.family):
                raise TypeError(f"{spec_class.__name__} is no {self.family.__name__}")
            if spec_class in self._implementations:
                raise TypeError(f"{spec_class.__name__} has two implementations")
            self._implementations[spec_class] = implementation  # type: ignore[assignment]
            return implementation

        return register

    def of(self, spec: Choice) -> T:
        """Return what implements a spec.

        Raises:
            LookupError: If nothing does, which is a mistake in this package and not in the spec.
        """
        try:
            return self._implementations[type(spec)]
        except KeyError:
            raise LookupError(f"nothing implements {type(spec).__name__}") from None

    @property
    def implementations(self) -> Mapping[type[Choice], T]:
        """All implementations by spec class."""
        return MappingProxyType(self._implementations)
