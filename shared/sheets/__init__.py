"""Sheets that somebody sends, as CSV or xlsx: their cells, read with bounds and with every mistake named by its place."""
