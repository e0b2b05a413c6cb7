"""Version of the package; the single place where it is written."""

__version__ = "0.15.0.dev0"


def parse_version_info(version: str) -> tuple:
    """Split ``'0.15.0.dev0'`` into ``(0, 15, 0, 'dev0')``; numbers become ints."""
    return tuple(int(part) if part.isdigit() else part for part in version.split("."))


version_info = parse_version_info(__version__)
