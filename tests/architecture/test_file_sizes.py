"""A file that passes 400 lines holds more than one thing."""

from tests.architecture.sources import frontend_files, python_files, relative

MAX_LINES = 400


def test_no_file_is_longer_than_400_lines() -> None:
    lengths = {
        relative(path): len(path.read_text(encoding="utf-8").splitlines())
        for path in (*python_files(), *frontend_files())
    }
    assert lengths, "no source file found"
    assert {path: n for path, n in lengths.items() if n > MAX_LINES} == {}
