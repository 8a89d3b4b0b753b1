"""Where this process keeps its data and which policy it runs under: the only reader of the environment."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

DEFAULT_DATA: Final = Path("data")
DEFAULT_POLICY: Final = "shaoxing"


@dataclass(frozen=True, slots=True)
class Settings:
    """`policy` names a shipped policy or the path of a TOML file; None means the adopted one, else the default.

    `signing_key` and `signing_certificate` are files in PEM with which released CAP documents are signed; without
    them the two in `signing/` of the data directory are, where they are there. `database_url` is the PostgreSQL
    database of the event log and the read tables (docs/postgresql.md); without it they are files here.
    """

    data_dir: Path = DEFAULT_DATA
    policy: str | None = None
    language: str = "en"
    is_ci: bool = field(default=False)
    signing_key: Path | None = None
    signing_certificate: Path | None = None
    database_url: str | None = field(default=None, repr=False)

    @property
    def signing_files(self) -> tuple[Path, Path] | None:
        """The files of the key and the certificate, there or not; None where documents are not signed."""
        key = self.data_dir / "signing" / "key.pem"
        certificate = key.with_name("certificate.pem")
        named = self.signing_key or self.signing_certificate
        if named is None and not key.exists() and not certificate.exists():
            return None
        return self.signing_key or key, self.signing_certificate or certificate

    @property
    def log_path(self) -> Path:
        """The event log's file."""
        return self.data_dir / "events.sqlite"

    @property
    def read_path(self) -> Path:
        """The read tables' file; it can be rebuilt from the log."""
        return self.data_dir / "read.sqlite"

    @property
    def audience_path(self) -> Path:
        """Who may be told, as taken in so far; it can be made again from the log."""
        return self.data_dir / "audience.bin"

    @property
    def spool_dir(self) -> Path:
        """Where released documents are written as files."""
        return self.data_dir / "outbox"

    @property
    def inbox_dir(self) -> Path:
        """The folder that `outlet run` watches."""
        return self.data_dir / "inbox"


def from_environment(*, data_dir: Path | None = None, policy: str | None = None) -> Settings:
    """Settings from the environment, as docs/cli.md lists it.

    OUTLET_DATA, OUTLET_POLICY, OUTLET_SIGNING_KEY, OUTLET_SIGNING_CERTIFICATE, OUTLET_DATABASE_URL and LANG are read.
    What is given as an argument wins.
    """
    chinese = os.environ.get("LANG", "").startswith("zh")
    return Settings(
        data_dir=data_dir or Path(os.environ.get("OUTLET_DATA", str(DEFAULT_DATA))),
        policy=policy or os.environ.get("OUTLET_POLICY"),
        language="zh-CN" if chinese else "en",
        is_ci=bool(os.environ.get("CI")),
        signing_key=_file("OUTLET_SIGNING_KEY"),
        signing_certificate=_file("OUTLET_SIGNING_CERTIFICATE"),
        database_url=os.environ.get("OUTLET_DATABASE_URL") or None,
    )


def _file(name: str) -> Path | None:
    """The file that a variable names; an empty one names none."""
    value = os.environ.get(name)
    return Path(value) if value else None
