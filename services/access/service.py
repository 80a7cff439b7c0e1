"""Access's wiring: who comes in and how stands in its parts, one for each kind of question."""

from services.access import administering, signing_in, views


class Access(signing_in.SigningIn, administering.Administering):
    """Knows who comes in, and what they may do."""

    name = "access"
    views = views.VIEWS
