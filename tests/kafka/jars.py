"""Where Kafka's jars lie on this machine: Maven fetches what pom.xml names and says so; the answer is kept in `build/`.

What is done with the jars does not belong here.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
POM = Path(__file__).with_name("pom.xml")
KEPT = PROJECT / "build" / "kafka"
MAVEN_SECONDS = 600.0


class NoKafkaError(Exception):
    """There is no Kafka to test against; the sentence says why."""


def java() -> str:
    """The command that starts Java: JAVA_HOME's, or the first on the PATH."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=str(Path(home) / "bin")) if home else None
    if found := found or shutil.which("java"):
        return found
    raise NoKafkaError("Java is not installed (17 or newer), and KAFKA_BOOTSTRAP_SERVERS is not set")


def class_path() -> str:
    """The jars as Java's option -cp takes them.

    Maven is asked once for each content of pom.xml, by one process at a time; it needs no network where it has them.
    """
    KEPT.mkdir(parents=True, exist_ok=True)
    kept = KEPT / f"{hashlib.sha256(POM.read_bytes()).hexdigest()[:16]}.classpath"
    with (KEPT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _holds(kept):
            _ask_maven(kept)
    return kept.read_text(encoding="utf-8").strip()


def _holds(kept: Path) -> bool:
    """Whether Maven has answered, and the jars still lie there."""
    return kept.is_file() and all(Path(jar).is_file() for jar in kept.read_text(encoding="utf-8").strip().split(":"))


def _ask_maven(kept: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise NoKafkaError("Maven is not installed, and KAFKA_BOOTSTRAP_SERVERS is not set")
    command = [
        *(maven, "--quiet", "--batch-mode", "--file", str(POM)),
        *("dependency:build-classpath", f"-Dmdep.outputFile={kept}"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=MAVEN_SECONDS)
    if done.returncode != 0:
        raise NoKafkaError(f"Maven did not bring Kafka: {done.stdout.strip()[-600:] or done.stderr.strip()[-600:]}")
