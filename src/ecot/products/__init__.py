"""Tables and figures from the cells' metrics; no torch."""
