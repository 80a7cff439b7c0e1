"""The gateway: the platform's HTTP edge.

Owns: nothing; it keeps no state. Accepts: the JSON API under `/v1`. Publishes: nothing.
Listens to: nothing; it asks the services by RPC, and answers with what they say or with a problem document.
"""
