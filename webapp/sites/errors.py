"""What a site is told that may not, or may not now."""

from __future__ import annotations

from http import HTTPStatus

from fedcore.sites.messages import ErrorCode
from webapp.errors import ConflictError, DomainError, ForbiddenError, NotFoundError


class NotProvenError(DomainError):
    """The request is not signed by a site that is known."""

    status = HTTPStatus.UNAUTHORIZED
    code = ErrorCode.BAD_SIGNATURE


class ClockSkewError(NotProvenError):
    code = ErrorCode.CLOCK_SKEW


class ReplayedError(NotProvenError):
    code = ErrorCode.REPLAYED


class NotApprovedError(ForbiddenError):
    code = ErrorCode.NOT_APPROVED


class RevokedError(ForbiddenError):
    code = ErrorCode.REVOKED


class CodeInvalidError(NotFoundError):
    code = ErrorCode.CODE_INVALID


class TaskNotWantedError(ConflictError):
    """Its round went on without it, or was never this site's."""

    code = ErrorCode.NOT_WANTED


class WrongOffsetError(ConflictError):
    code = ErrorCode.WRONG_OFFSET


class ChecksumError(DomainError):
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = ErrorCode.CHECKSUM


class SiteStateError(ConflictError):
    """The site is not in a state in which this can be done."""

    code = "wrong_site_state"


class SiteNameTakenError(DomainError):
    code = "name_taken"
