"""How far a run is, how long a configuration will take, and what stands in its way: from files alone, without torch."""
