"""The networks, in the shapes of Tables 12-15."""
