"""Where the server listens, and the names under which it may be asked."""

import socket
from collections.abc import Sequence
from typing import NamedTuple

from seedbed.errors import ConfigError

LOOPBACK = ("127.0.0.1", "localhost", "::1")
ANYWHERE = ("0.0.0.0", "::")  # noqa: S104 (what is looked for)


class Address(NamedTuple):
    """Host and port to listen on, and further names of this machine or of a proxy before it."""

    host: str
    port: int
    names: Sequence[str] = ()

    @property
    def url(self) -> str:
        """What to type: an added name first, as it was added for whoever is to use it."""
        own = socket.gethostname() if self.host in ANYWHERE else self.host
        return f"http://{_bracketed(self.names[0] if self.names else own)}:{self.port}"

    @property
    def here(self) -> str:
        """Where this machine itself reaches it."""
        return f"http://{_bracketed('127.0.0.1' if self.host in ANYWHERE else self.host)}:{self.port}"

    @property
    def public(self) -> bool:
        """Whether other machines reach it."""
        return self.host not in LOOPBACK

    def hosts(self) -> str:
        """The Host headers that are let in: each name, with the port and, behind a proxy, without.

        Example:
            >>> Address("127.0.0.1", 5000, ["lab"]).hosts()
            '127.0.0.1:5000,localhost:5000,[::1]:5000,lab:5000,lab'
        """
        own = [f"{_bracketed(name)}:{self.port}" for name in self._own()]
        return ",".join([*own, *(f"{name}{end}" for name in self.names for end in (f":{self.port}", ""))])

    def origins(self) -> str:
        """The pages that may change something: the server's own, and a proxy's with TLS.

        Example:
            >>> Address("127.0.0.1", 5000, ["lab"]).origins().split(",")[3:]
            ['http://lab:5000', 'http://lab', 'https://lab']
        """
        own = [f"http://{_bracketed(name)}:{self.port}" for name in self._own()]
        added = [page for name in self.names for page in (f"http://{name}:{self.port}", *_pages(name))]
        return ",".join([*own, *added])

    def check(self) -> None:
        """Tries to listen.

        Raises:
            ConfigError: where the port is taken, or the address is none of this machine's.
        """
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        try:
            with socket.socket(family) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((self.host, self.port))
        except OSError as error:
            raise ConfigError(
                f"--host {self.host} --port {self.port}",
                expected="an address of this machine that is free",
                got=str(error.strerror or error),
                do="Choose another --port, or end the program that listens there.",
            ) from error

    def _own(self) -> list[str]:
        if self.host in ANYWHERE:
            return [*LOOPBACK, socket.gethostname()]
        return [self.host] if self.public else list(LOOPBACK)


def _pages(name: str) -> tuple[str, str]:
    return f"http://{name}", f"https://{name}"


def _bracketed(name: str) -> str:
    return f"[{name}]" if ":" in name else name
