"""The audit of an installation from outside: it reads every service's database and changes none.

No service, no broker and no engine is needed; `verify` recomputes the ledgers, `replay` the published results.
"""
