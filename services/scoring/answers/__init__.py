"""The forms of what scoring answers, member by member, as they go over the wire."""
