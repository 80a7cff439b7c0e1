"""That somebody is not let in, with a word for the record; it becomes an Unauthenticated before it leaves the service."""


class NotLetIn(Exception):
    """Somebody is not let in: the message is for them, `why` a word for the record, `holder` whom they named, if anybody."""

    def __init__(self, why: str, said: str, holder: str | None = None) -> None:
        super().__init__(said)
        self.why = why
        self.holder = holder
