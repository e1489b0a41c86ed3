"""The rules of the house, as tests. A rule that nothing enforces is not a rule."""

import ast
import re
import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("formats", "schematron", "validation", "archive", "gateway")
MODULES = sorted(
    path.relative_to(ROOT)
    for package in PACKAGES
    for path in (ROOT / package).rglob("*.py")
    if "versions" not in path.parts
)

MAY_IMPORT: dict[str, set[str]] = {
    "formats": set(),
    "schematron": set(),
    "archive": set(),
    "validation": {"formats", "schematron"},
    "gateway": {"formats", "validation", "archive"},
}
"""Who may import whom. gateway is narrowed further below."""

GATEWAY_MAY_SEE = {
    "formats": {"invoice", "bank", "codes", "identifiers", "amounts", "errors", "status", "payment_code", "returned"},
    "validation": {"findings", "workshop", "worker"},
}
"""The pure modules: everything else of these two packages runs in a workshop process."""

OUT_OF_PROCESS = {Path("gateway/commands")}
"""Commands that run in a process of their own, not in the service, and may use every room."""

DATA = {Path("formats/invoice.py"), Path("formats/codes.py")}
"""Data tables: up to 600 lines, as the files of formats/mapping."""

REGISTRIES = {Path("gateway/worker.py"), Path("gateway/app.py"), Path("gateway/cli.py"), Path("gateway/topics.py"),
              Path("gateway/console/pages.py")}
"""Modules whose work is to name all the others of their kind."""

BANNED_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "kit"}
CLOCK = re.compile(r"\b(datetime\.now|datetime\.utcnow|date\.today|time\.time)\(")
FEATURES = {
    "outgoing", "incoming", "lifecycle", "directory", "ereporting", "reminders", "receivables", "bank", "portal",
    "webhooks", "channels", "bounces", "evidence", "keeping", "dossiers", "accounts", "series", "replay",
}
ROOMS_OF_EVIDENCE: dict[str, set[str]] = {"evidence": set(), "keeping": {"evidence"}, "dossiers": {"evidence"}}
"""Which of the rooms of evidence each may see."""


DESCRIBED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def of_every(modules: Sequence[Path]) -> Callable[[Callable[[Path], None]], Callable[[], None]]:
    """One test of a rule over many modules, which names each that breaks it: a test of its own for each took longer."""

    def over(rule: Callable[[Path], None]) -> Callable[[], None]:
        def test() -> None:
            assert modules
            assert {str(module): why for module in modules if (why := broken(rule, module)) is not None} == {}

        test.__name__, test.__doc__ = rule.__name__, rule.__doc__
        return test

    return over


def broken(rule: Callable[[Path], None], module: Path) -> str | None:
    """What a rule says against a module."""
    try:
        rule(module)
    except AssertionError as error:
        return str(error)
    return None


@cache
def text_of(module: Path) -> str:
    return (ROOT / module).read_text(encoding="utf-8")


@cache
def nodes_of(module: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(tree_of(module)))


@cache
def tree_of(module: Path) -> ast.Module:
    return ast.parse(text_of(module))


@cache
def imports_of(module: Path) -> frozenset[str]:
    found: set[str] = set()
    for node in nodes_of(module):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.update((node.module, *(f"{node.module}.{alias.name}" for alias in node.names)))
    return frozenset(found)


@cache
def own_modules_imported(module: Path) -> set[Path]:
    found = set()
    for name in imports_of(module):
        path = Path(*name.split("."))
        for candidate in (path.with_suffix(".py"), path / "__init__.py"):
            if (ROOT / candidate).is_file():
                found.add(candidate)
    return {path for path in found if path.name != "__init__.py"} - {module}


def lines_of(module: Path) -> int:
    return len(text_of(module).splitlines())


def is_command(module: Path) -> bool:
    return any(folder in module.parents for folder in OUT_OF_PROCESS)


@of_every(MODULES)
def test_imports_follow_the_arrows(module: Path) -> None:
    package = module.parts[0]
    imported = {name.split(".")[0] for name in imports_of(module)} & MAY_IMPORT.keys()
    allowed = set(MAY_IMPORT) if is_command(module) else MAY_IMPORT[package]
    assert imported - {package} <= allowed


@of_every([m for m in MODULES if m.parts[0] == "gateway" and not is_command(m)])
def test_the_service_sees_only_pure_modules(module: Path) -> None:
    for path in own_modules_imported(module):
        if path.parts[0] in GATEWAY_MAY_SEE:
            assert path.stem in GATEWAY_MAY_SEE[path.parts[0]], path


def feature_of(path: Path) -> str | None:
    return path.parts[1] if path.parts[0] == "gateway" and len(path.parts) > 2 and path.parts[1] in FEATURES else None


@of_every([m for m in MODULES if feature_of(m)])
def test_a_feature_never_imports_another_features_service(module: Path) -> None:
    for path in own_modules_imported(module):
        other = feature_of(path)
        if other is not None and other != feature_of(module):
            assert path.stem not in {"service", "routes"}, path


@pytest.mark.parametrize("room", ROOMS_OF_EVIDENCE)
def test_the_rooms_of_evidence_have_an_order(room: str) -> None:
    """The journal stands without retention and dossiers, and these two without each other."""
    seen = {feature_of(path) for module in MODULES if feature_of(module) == room
            for path in own_modules_imported(module)}
    assert seen & ROOMS_OF_EVIDENCE.keys() <= ROOMS_OF_EVIDENCE[room] | {room}


@of_every(MODULES)
def test_module_is_one_room(module: Path) -> None:
    limit = 600 if module in DATA or Path("formats/mapping") in module.parents else 400
    assert lines_of(module) <= limit


def test_the_archive_core_is_small() -> None:
    """What a third party must read to write a reader: the files of archive/ itself, not the stores behind its port."""
    assert sum(map(code_lines, (ROOT / "archive").glob("*.py"))) < 1200


def code_lines(path: Path) -> int:
    """Lines that are neither blank, nor comment, nor docstring."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    bodies = [node.body for node in ast.walk(tree) if isinstance(node, DESCRIBED)]
    words = {number for body in bodies for node in body if is_words(node)
             for number in range(node.lineno, (node.end_lineno or node.lineno) + 1)}
    return sum(1 for number, line in enumerate(text.splitlines(), start=1)
               if line.strip() and not line.strip().startswith("#") and number not in words)


def is_words(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def test_the_archive_core_stands_alone() -> None:
    """Stores, dossiers, long-term care and exchange know the core; the core knows nothing else of ours."""
    core = [module for module in MODULES if module.parent == Path("archive")]
    for module in core:
        assert own_modules_imported(module) <= set(core), module


def test_median_module_is_small() -> None:
    sizes = [lines_of(module) for module in MODULES if module.name != "__init__.py"]
    assert statistics.median(sizes) < 150


@of_every(MODULES)
def test_functions_are_short(module: Path) -> None:
    for node in nodes_of(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 60, node.name


@of_every(MODULES)
def test_fan_out_is_bounded(module: Path) -> None:
    limit = 40 if module in REGISTRIES else 15
    assert len(own_modules_imported(module)) <= limit


@of_every(MODULES)
def test_names_say_something(module: Path) -> None:
    assert module.stem not in BANNED_NAMES
    for node in nodes_of(module):
        if isinstance(node, ast.ClassDef):
            assert not node.name.endswith(("Manager", "Helper", "Handler")), node.name


@of_every(MODULES)
def test_no_hidden_state_and_no_hidden_import(module: Path) -> None:
    for node in nodes_of(module):
        assert not isinstance(node, ast.Global), f"global at line {node.lineno}"
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            hidden = [n for n in ast.walk(node) if isinstance(n, ast.Import | ast.ImportFrom)]
            assert not hidden, f"import inside {node.name}"


@of_every([m for m in MODULES if m.name == "__init__.py"])
def test_package_files_hold_a_docstring_only(module: Path) -> None:
    assert [type(node) for node in tree_of(module).body] == [ast.Expr]


@of_every([m for m in MODULES if m != Path("gateway/clock.py")])
def test_only_clock_reads_the_clock(module: Path) -> None:
    assert not CLOCK.search(text_of(module))


@of_every([m for m in MODULES if m != Path("gateway/db.py")])
def test_only_db_commits(module: Path) -> None:
    """A commit in the middle of a request cannot be rolled back with the rest of it."""
    if module == Path("gateway/sandbox/ledger.py"):
        return  # the sandbox platform is another program with a database of its own
    calls = {
        node.func.attr
        for node in nodes_of(module)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    assert "commit" not in calls


@of_every(MODULES)
def test_every_module_says_what_it_is(module: Path) -> None:
    assert ast.get_docstring(tree_of(module))


@of_every(MODULES)
def test_public_functions_are_described(module: Path) -> None:
    for node in tree_of(module).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), node.name


@of_every(MODULES)
def test_xml_is_built_and_found_properly(module: Path) -> None:
    text = text_of(module)
    assert "//*[local-name()" not in text
    assert "huge_tree=True" not in text
    if module != Path("formats/safexml.py"):
        assert not re.search(r"etree\.(fromstring|parse|XML)\(", text) or module.parts[0] == "schematron" or (
            module in {Path("validation/stylesheet.py"), Path("validation/xsd.py"), Path("formats/paths.py"),
                       Path("formats/order.py"), Path("formats/facturx.py")}
        ), "only safexml parses what others sent; the rest parse packaged files"


@of_every([m for m in MODULES if m.parts[0] == "formats"])
def test_the_container_is_opened_in_its_own_rooms(module: Path) -> None:
    if Path("formats/pdf") not in module.parents and module != Path("formats/facturx.py"):
        assert not {"pikepdf", "facturx", "fontTools"} & {name.split(".")[0] for name in imports_of(module)}


def test_no_import_cycle() -> None:
    graph = {module: own_modules_imported(module) for module in MODULES}
    done: set[Path] = set()

    def visit(module: Path, trail: tuple[Path, ...]) -> None:
        assert module not in trail, " -> ".join(map(str, (*trail[trail.index(module):], module)))
        if module not in done:
            for child in graph.get(module, set()):
                visit(child, (*trail, module))
            done.add(module)

    for module in MODULES:
        visit(module, ())


def test_top_level_is_as_planned() -> None:
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.splitlines()
    names = {Path(name).parts[0] for name in tracked}
    assert names <= {
        "pyproject.toml", "gateway", "validation", "schematron", "formats", "archive", "tests", "README.md",
        "Makefile", ".ci", ".gitignore", "NOTICE", "docs", "deploy",
    }


def test_money_is_never_a_float() -> None:
    suspicious = re.compile(r"\bfloat\(\s*\w*(amount|total|price|due|paid)", re.IGNORECASE)
    for module in MODULES:
        assert not suspicious.search(text_of(module)), module


def test_the_service_loads_no_document_library() -> None:
    """Untrusted bytes are read only in workshop processes: the API process cannot even parse them."""
    code = (
        "import sys, gateway.app\n"
        "print(sorted({'lxml', 'saxonche', 'pikepdf', 'facturx', 'typst', 'apprise'} & set(sys.modules)))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"


def test_validate_loads_no_service_library() -> None:
    code = (
        "import sys, gateway.commands.validate\n"
        "print(sorted({'fastapi', 'sqlalchemy', 'celery', 'uvicorn'} & set(sys.modules)))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"


def test_modules_of_the_tests_have_names_of_their_own() -> None:
    """Folders of tests are put on the path: of two modules with one name, the second would not be found."""
    names = Counter(path.stem for path in (ROOT / "tests").rglob("*.py")
                    if path.stem not in {"conftest", "__init__"} and not {"bench", "campaigns"} & set(path.parts))
    assert [name for name, times in names.items() if times > 1 and not name.startswith("test_")] == []
