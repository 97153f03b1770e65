"""Live events: the log that keeps them, the bus that wakes the processes, the hub that hands them out."""
