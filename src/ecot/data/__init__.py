"""Data sets: fetching, checking, converting and loading them."""
