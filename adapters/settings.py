"""Where this process keeps its data and which policy it runs under: the only reader of the environment."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

DEFAULT_DATA: Final = Path("data")
DEFAULT_POLICY: Final = "shaoxing"


@dataclass(frozen=True, slots=True)
class Settings:
    """`policy` names a shipped policy or the path of a TOML file; None means the adopted one, else the default."""

    data_dir: Path = DEFAULT_DATA
    policy: str | None = None
    language: str = "en"
    is_ci: bool = field(default=False)

    @property
    def log_path(self) -> Path:
        """The event log's file."""
        return self.data_dir / "events.sqlite"

    @property
    def read_path(self) -> Path:
        """The read tables' file; it can be rebuilt from the log."""
        return self.data_dir / "read.sqlite"

    @property
    def spool_dir(self) -> Path:
        """Where released documents are written as files."""
        return self.data_dir / "outbox"

    @property
    def inbox_dir(self) -> Path:
        """The folder that `outlet run` watches."""
        return self.data_dir / "inbox"


def from_environment(*, data_dir: Path | None = None, policy: str | None = None) -> Settings:
    """Settings from OUTLET_DATA, OUTLET_POLICY and LANG, overridden by what is given."""
    chinese = os.environ.get("LANG", "").startswith("zh")
    return Settings(
        data_dir=data_dir or Path(os.environ.get("OUTLET_DATA", str(DEFAULT_DATA))),
        policy=policy or os.environ.get("OUTLET_POLICY"),
        language="zh-CN" if chinese else "en",
        is_ci=bool(os.environ.get("CI")),
    )
