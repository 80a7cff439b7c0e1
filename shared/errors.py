"""The ways in which a call can be refused; each has one HTTP status (RFC 9457 problem documents at the edge)."""

from collections.abc import Mapping, Sequence

FieldErrors = Mapping[str, Sequence[str]]
"""Path of a field (`items[3].rrule`) to what was expected there."""


class Refused(Exception):
    """A call that was understood and not carried out; nothing was changed."""

    status = 500
    title = "Refused"


class Invalid(Refused):
    """The input is not of the stated form; `errors` names each field and what was expected."""

    status = 422
    title = "Invalid input"

    def __init__(self, errors: FieldErrors | str) -> None:
        self.errors: FieldErrors = {"": [errors]} if isinstance(errors, str) else dict(errors)
        super().__init__(self.errors)

    def __str__(self) -> str:
        return "; ".join(
            f"{field}: {', '.join(whys)}" if field else ", ".join(whys) for field, whys in self.errors.items()
        )


class Malformed(Refused):
    """The body cannot be read as what it says to be."""

    status = 400
    title = "Malformed"


class Unsupported(Refused):
    """The body is of a media type, or in an encoding, that is not taken here."""

    status = 415
    title = "Unsupported media type"


class NotFound(Refused):
    """No such thing."""

    status = 404
    title = "Not found"


class Conflict(Refused):
    """Somebody else changed the same stream first, or one idempotency key names two different commands."""

    status = 409
    title = "Conflict"


class Rejected(Refused):
    """A rule of the domain said no; the message says which."""

    status = 409
    title = "Rejected by a rule"


class Stale(Refused):
    """The caller decided on an older version of the stream than there is (If-Match)."""

    status = 412
    title = "Precondition failed"


class Unauthenticated(Refused):
    """Who calls has not said who they are, or not in a way that holds."""

    status = 401
    title = "Sign in"


class TooMany(Refused):
    """The caller asks too often, or tried too often to sign in; the message says for how long to wait."""

    status = 429
    title = "Too many requests"

    def __init__(self, said: str, retry_after: int | str = 1) -> None:
        super().__init__(said, retry_after)
        self.retry_after = int(retry_after)  # RPC carries the arguments of an error as text

    def __str__(self) -> str:
        return str(self.args[0])


class Forbidden(Refused):
    """The caller may not do this."""

    status = 403
    title = "Forbidden"


class Unavailable(Refused):
    """The service did not answer within the deadline; it may or may not have done the work."""

    status = 503
    title = "Unavailable"
