"""What a job needs of the machine: its device, a lease of it, locks."""
