"""How far a run is, what a configuration will take, and what stands in its way: from files alone, without torch."""
