"""What other systems are told: the numbered sequence of a facility's events, and the webhooks that it is delivered to."""
