"""What other systems tell us: received, mapped, handed to the service that accepts it, kept with what became of it."""
