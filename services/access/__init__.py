"""Access: who may come in, as whom, and what they may do where.

Owns: accounts, their passwords and identities at an OpenID provider; API keys; sessions; roles, each bound to facilities.
Accepts: sign-ins; accounts, keys and roles from administrators.
Publishes: who signed in or was refused, and who was given or lost which role. Its ledger belongs to no facility.
Listens to: nobody.
"""
