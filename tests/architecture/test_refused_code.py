"""What review refuses and a tool can see: unsafe loading, evaluation, sleeping tests."""

import ast

from tests.architecture.sources import PACKAGES, parse, python_files, relative

UNSAFE_IMPORTS = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
UNSAFE_CALLS = {
    "eval",  # an expression from outside would be code
    "exec",
    "torch.load",  # unpickles; fedcore.wire reads tensors
    "torch.save",
    "yaml.unsafe_load",
    "os.system",
}
UNSAFE_SWITCHES = {"trust_remote_code", "allow_pickle", "shell"}
SLEEPS = {"time.sleep", "sleep", "page.wait_for_timeout"}
# Pickling is the very thing that this test checks, because Celery does it to exceptions.
MAY_PICKLE = {"tests/architecture/test_errors_survive_celery.py"}
READS_SETTINGS = {"webapp/settings/env.py", "fedcore/environment.py"}
# The compiler's, the interpreter's and the test runner's own.
NOT_SETTINGS = {"CXX", "PYTHONPATH", "PYTEST_XDIST_WORKER"}


def imported_modules(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module.partition(".")[0])
    return found


def called_names(tree: ast.Module) -> set[str]:
    return {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}


def switched_on(tree: ast.Module) -> set[str]:
    """Return the names of keyword arguments that are passed as the literal True."""
    return {
        keyword.arg
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg and isinstance(keyword.value, ast.Constant) and keyword.value.value is True
    }


def test_nothing_unpickles_or_evaluates() -> None:
    found = {}
    for path in python_files():
        tree = parse(path)
        unsafe = called_names(tree) & UNSAFE_CALLS | switched_on(tree) & UNSAFE_SWITCHES
        if relative(path) not in MAY_PICKLE:
            unsafe |= imported_modules(tree) & UNSAFE_IMPORTS
        if unsafe:
            found[relative(path)] = unsafe
    assert found == {}


def test_no_test_sleeps() -> None:
    files = [relative(p) for p in python_files("tests") if called_names(parse(p)) & SLEEPS]
    assert files == [], "wait on a condition with a deadline"


def variables_read(tree: ast.Module) -> set[str]:
    """Return the environment variables that are read one by one, as they are written there."""
    readers = {"os.environ.get", "os.getenv", "environ.get", "getenv"}
    called = {
        ast.unparse(node.args[0])
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in readers and node.args
    }
    looked_up = {
        ast.unparse(node.slice)
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript)
        and isinstance(node.ctx, ast.Load)
        and ast.unparse(node.value) in {"os.environ", "environ"}
    }
    return {name.strip("'") for name in called | looked_up}


def test_settings_are_read_in_one_place() -> None:
    found = {relative(p): variables_read(parse(p)) for p in python_files(*PACKAGES)}
    elsewhere = {
        path: names - NOT_SETTINGS
        for path, names in found.items()
        if path not in READS_SETTINGS and names - NOT_SETTINGS
    }
    assert elsewhere == {}


def test_no_module_is_named_after_nothing() -> None:
    vague = {"utils.py", "helpers.py", "common.py", "misc.py"}
    assert [relative(path) for path in python_files() if path.name in vague] == []
