"""The width multiplier."""


def scaled(width: float, *channels: int) -> tuple[int, ...]:
    """Channel counts times `width`, rounded, at least 1."""
    return tuple(max(1, round(width * count)) for count in channels)
