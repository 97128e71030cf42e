"""The data sets that a site offers now: read again when their files have changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

import structlog

from fedcore.agent.config import DeclaredDataset, Site
from fedcore.agent.datasets import Rows, declare, read_rows, version_of
from fedcore.errors import DatasetError, FedcoreError
from fedcore.sites.messages import DatasetDeclaration

Version = tuple[tuple[str, int, int], ...]
log = structlog.get_logger(__name__)


class Shelf:
    """Declarations of a site's data sets; rows are not kept."""

    def __init__(self, site: Site, trouble: Callable[[str, str | None], None]) -> None:
        """Prepare; nothing is read yet.

        Args:
            site: Whose data sets.
            trouble: Told what is wrong with which data set, and when it no longer is.
        """
        self._site = site
        self._trouble = trouble
        self._known: dict[str, tuple[Version, DatasetDeclaration]] = {}
        self._lock = Lock()

    def declarations(self) -> tuple[DatasetDeclaration, ...]:
        """Return what can be read now, for the server."""
        found = []
        for declared in self._site.config.datasets:
            what = f"data set {declared.name}"
            try:
                found.append(self._declaration(declared))
                self._trouble(what, None)
            except DatasetError as error:
                self._trouble(what, error.message)
        return tuple(found)

    def count(self, name: str) -> int:
        """Return the training examples of a data set.

        Raises:
            DatasetError: If there is no such data set, or it cannot be read.
        """
        return self._declaration(self._declared(name)).num_train

    def rows(self, name: str) -> Rows:
        """Return the rows of a data set.

        Raises:
            DatasetError: If there is no such data set, or it cannot be read.
        """
        declared = self._declared(name)
        with _unquoted(declared):
            return read_rows(declared, self._site.data_dir)

    def version(self, name: str) -> Version:
        """Return what changes when the files of a data set do.

        Raises:
            DatasetError: If there is no such data set, or it has no files.
        """
        declared = self._declared(name)
        with _unquoted(declared):
            return version_of(declared, self._site.data_dir)

    def _declared(self, name: str) -> DeclaredDataset:
        declared = self._site.dataset(name)
        if declared is None:
            raise DatasetError(f"this site has declared no data set {name!r}")
        return declared

    def _declaration(self, declared: DeclaredDataset) -> DatasetDeclaration:
        with self._lock, _unquoted(declared):
            version = version_of(declared, self._site.data_dir)
            known = self._known.get(declared.name)
            if known is None or known[0] != version:
                rows = read_rows(declared, self._site.data_dir)
                known = self._known[declared.name] = (version, declare(declared, rows))
            return known[1]


@contextmanager
def _unquoted(declared: DeclaredDataset) -> Iterator[None]:
    """Keep to the site why a file cannot be read: that may quote a row of it."""
    try:
        yield
    except (FedcoreError, OSError) as error:
        log.warning("data set cannot be read", dataset=declared.name, error=str(error))
        raise DatasetError(
            f"the data set {declared.name!r} of this site cannot be read; its log says why"
        ) from None
