"""The parts of the service class, one for each thing that scoring is asked about: commands and queries, wired to the rules."""
