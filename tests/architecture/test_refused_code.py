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
READS_ENVIRONMENT = {"webapp/settings/env.py"}


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


def test_the_environment_is_read_in_one_place() -> None:
    reads = {"os.environ.get", "os.getenv", "environ.get", "getenv"}
    files = [relative(p) for p in python_files(*PACKAGES) if called_names(parse(p)) & reads]
    assert set(files) - READS_ENVIRONMENT == set()


def test_no_module_is_named_after_nothing() -> None:
    vague = {"utils.py", "helpers.py", "common.py", "misc.py"}
    assert [relative(path) for path in python_files() if path.name in vague] == []
