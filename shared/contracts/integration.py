"""What integration publishes: what it received from other systems, and what it was told to do with it."""
