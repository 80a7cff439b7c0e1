"""Integration: what other systems tell us, and what they are told.

Owns: messages of other systems as they were received, with what became of each; the one numbered sequence of all events
of a facility; webhooks and what was delivered to them.
Accepts: CloudEvents and files of other systems under a mapping for each source; webhooks to be called.
Publishes: what it received and from whom, before another service accepts it; which sources and webhooks there are.
Listens to: every service, itself too, for the sequence that it hands out.
"""
