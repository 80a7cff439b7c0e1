"""Rulebooks as data: read and refused, their JSON Schema, said in words, compared, and kept."""
