"""A project as data, and the two clients that bring it to an installation.

Owns no state: `files` reads and checks a project folder, `load` sends it, `simulate` makes up its year of work; both
speak to the HTTP API through `client` and use only what any other client could.
"""
