"""The operator's key: made once, readable by its owner only, and found by other commands while its address is served."""

import stat
from pathlib import Path

import pytest

from services.operator_key import VARIABLE, kept, known_for, laid_out

URL = "http://127.0.0.1:8123"


@pytest.fixture(autouse=True)
def _state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv(VARIABLE, raising=False)


def test_a_key_is_made_once_and_is_long(tmp_path: Path) -> None:
    key = kept(tmp_path)

    assert kept(tmp_path) == key
    assert len(key) >= 40
    assert stat.S_IMODE((tmp_path / "operator.key").stat().st_mode) == 0o600


def test_two_folders_have_two_keys(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()

    assert kept(tmp_path) != kept(tmp_path / "other")


def test_a_command_finds_the_key_while_the_address_is_served(tmp_path: Path) -> None:
    with laid_out(URL, "key-1"):
        assert known_for(URL) == "key-1"
        assert known_for("http://127.0.0.1:8124") is None
        (file,) = (tmp_path / "state" / "xunjian").iterdir()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600

    assert known_for(URL) is None


def test_the_key_of_who_serves_the_address_now_stays(tmp_path: Path) -> None:
    with laid_out(URL, "key-2"):
        with laid_out(URL, "key-1"):
            pass
        assert known_for(URL) is None
        with laid_out(URL, "key-3"):
            file = next((tmp_path / "state" / "xunjian").iterdir())
            file.write_text("key-4\n")
        assert known_for(URL) == "key-4"


def test_what_is_said_in_the_environment_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "said")

    with laid_out(URL, "key-1"):
        assert known_for(URL) == "said"


def test_a_state_folder_that_cannot_be_written_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "state").write_text("in the way")

    with laid_out(URL, "key-1"):
        assert known_for(URL) is None

    assert f"other commands need {VARIABLE}" in capsys.readouterr().err
