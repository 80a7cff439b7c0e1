"""The asset sheets of an office (资产表), brought to an installation and back from the command line.

Owns no state: it sends and fetches files through the HTTP API, as any other client could; the form itself belongs to
the asset registry and is described in docs/assets-form.md.
"""
