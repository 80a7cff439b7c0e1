"""A project as data, and the clients that bring it to an installation.

Owns no state: `files` reads and checks a project folder, `load` sends it, `simulate` makes up its year of work, `renew`
makes the next year's folder; all speak to the HTTP API through `client` and use only what any other client could.
"""
