"""House rules that no linter knows, held as tests. A rule about one part's behaviour does not belong here."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
PACKAGES = ("domain", "streams", "adapters", "projections")

MAXIMUM_LINES = 400
LONGER_MODULES: frozenset[str] = frozenset()
"""Modules that may exceed the maximum, each with its reason in a comment beside it."""

MAY_CATCH_EVERYTHING = ("streams/park.py", "adapters/cli/")
"""Outer boundaries: a stage's, which parks, and the command line's, which ends in an exit code."""

NEVER_IN_DOMAIN = frozenset(
    {
        "datetime.now",
        "datetime.utcnow",
        "datetime.today",
        "date.today",
        "time.time",
        "time.time_ns",
        "time.monotonic",
        "os.environ",
        "os.getenv",
        "uuid.uuid1",
        "uuid.uuid4",
    }
)

# Joined from parts, so that this file does not hold what it looks for.
INDEX_HOSTS = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("files", "pythonhosted", "org"),
        ("registry", "npmjs", "org"),
        ("registry", "yarnpkg", "com"),
        ("repo", "maven", "apache", "org"),
        ("repo1", "maven", "org"),
        ("static", "crates", "io"),
        ("index", "crates", "io"),
        ("proxy", "golang", "org"),
        ("deb", "debian", "org"),
    )
)

NOT_OURS = frozenset(
    {
        ".git",
        ".venv",
        ".hypothesis",
        ".import_linter_cache",
        ".mypy_cache",
        ".pytest_cache",
        ".ruff_cache",
        "__pycache__",
        "build",
        "dist",
        "htmlcov",
        "node_modules",
        "target",
    }
)


def project_files(folder: Path = PROJECT) -> Iterator[Path]:
    for entry in sorted(folder.iterdir()):
        if entry.is_symlink() or entry.name in NOT_OURS or entry == PROJECT / "data":
            continue
        if entry.is_dir():
            yield from project_files(entry)
        elif entry.is_file() and not entry.name.startswith(".coverage"):
            yield entry


def modules_of(*folders: str) -> list[str]:
    return [
        path.relative_to(PROJECT).as_posix()
        for folder in folders
        for path in project_files(PROJECT / folder)
        if path.suffix == ".py"
    ]


def tree_of(module: str) -> ast.Module:
    return ast.parse((PROJECT / module).read_text(encoding="utf-8"), filename=module)


def catches_everything(handler: ast.ExceptHandler) -> bool:
    """Whether the handler stops every error; one that tidies up and raises on stops none."""
    last = handler.body[-1]
    if isinstance(last, ast.Raise) and last.exc is None:
        return False
    if handler.type is None:
        return True
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(isinstance(name, ast.Name) and name.id in {"Exception", "BaseException"} for name in caught)


def outside_names(tree: ast.Module) -> Iterator[str]:
    """Every dotted name and every `from` import of a tree, as its last two parts: `datetime.now`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            match node.value:
                case ast.Name(id=owner) | ast.Attribute(attr=owner):
                    yield f"{owner}.{node.attr}"
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                yield f"{node.module}.{alias.name}"


def headings_of(path: Path) -> list[str]:
    """The Markdown headings outside code fences, as their marks alone: `##`."""
    marks: list[str] = []
    fenced = False
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif not fenced and line.startswith("#") and line.lstrip("#").startswith(" "):
            marks.append(line.split(" ", 1)[0])
    return marks


def test_no_file_names_the_host_of_a_package_index() -> None:
    found = [
        f"{path.relative_to(PROJECT)} names {host}"
        for path in project_files()
        for content in [path.read_bytes()]
        for host in INDEX_HOSTS
        if host.encode() in content
    ]
    assert found == []


@pytest.mark.parametrize("module", modules_of(*PACKAGES, "tests"))
def test_a_module_is_short_enough_to_read_at_once(module: str) -> None:
    if module not in LONGER_MODULES:
        lines = (PROJECT / module).read_text(encoding="utf-8").count("\n")
        assert lines <= MAXIMUM_LINES, f"{module} has {lines} lines; split it at a seam of its subject"


@pytest.mark.parametrize("module", modules_of(*PACKAGES, "tests"))
def test_a_module_opens_with_what_it_is_for(module: str) -> None:
    assert ast.get_docstring(tree_of(module)), f"{module} has no docstring"


@pytest.mark.parametrize("module", modules_of(*PACKAGES))
def test_only_outer_boundaries_catch_everything(module: str) -> None:
    if not module.startswith(MAY_CATCH_EVERYTHING):
        lines = [
            node.lineno
            for node in ast.walk(tree_of(module))
            if isinstance(node, ast.ExceptHandler) and catches_everything(node)
        ]
        assert lines == [], f"{module} catches everything at {lines}"


@pytest.mark.parametrize("module", modules_of("domain"))
def test_the_domain_reads_no_clock_no_environment_and_makes_no_random_id(module: str) -> None:
    assert NEVER_IN_DOMAIN.intersection(outside_names(tree_of(module))) == set()


@pytest.mark.parametrize("module", modules_of(*PACKAGES))
def test_only_the_settings_read_the_environment(module: str) -> None:
    if module != "adapters/settings.py":
        assert {"os.environ", "os.getenv"}.intersection(outside_names(tree_of(module))) == set()


def test_both_readmes_have_the_same_headings() -> None:
    english, chinese = PROJECT / "README.md", PROJECT / "README.zh-CN.md"
    if not (english.exists() and chinese.exists()):
        pytest.skip("README.md and README.zh-CN.md are not both here")
    assert headings_of(english) == headings_of(chinese)
