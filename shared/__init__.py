"""What every service stands on: the published language, the ledger, and the ways between services."""
