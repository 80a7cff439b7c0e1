"""What is asked of a score beyond itself: why it is so, what differs, what is at risk, what is missing, month by system."""
