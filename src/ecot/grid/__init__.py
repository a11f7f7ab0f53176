"""The grid: its cells, the settings that decide each one, their fingerprints, and where their files lie."""
