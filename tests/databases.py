"""DSNs of other databases in the same server."""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit


def in_database(dsn: str, name: str) -> str:
    """Returns a DSN that differs only in the database."""
    return urlsplit(dsn)._replace(path=f"/{name}").geturl()


def database_of(dsn: str) -> str:
    """Returns the name of a DSN's database."""
    return urlsplit(dsn).path.removeprefix("/")


def with_password(dsn: str) -> str:
    """Returns a DSN that holds the password itself, for clients that take no password file."""
    url = urlsplit(dsn)
    lines = Path(parse_qs(url.query)["passfile"][0]).read_text().splitlines()
    passwords = dict(line.split(":")[3:5] for line in lines)
    return url._replace(netloc=f"{url.username}:{passwords[url.username or '']}@{url.hostname}:{url.port}", query="").geturl()
