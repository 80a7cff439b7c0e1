"""What access publishes: who signed in or was refused, and who may do what where."""
