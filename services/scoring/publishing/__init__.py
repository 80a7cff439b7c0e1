"""What is published and handed out: the seal and its key, the evidence, and the bundle that holds all of it."""
