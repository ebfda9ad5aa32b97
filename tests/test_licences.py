"""What is shipped comes with its licence, text included."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
SCRIPT = ROOT / "packaging" / "licences.py"
LOCKED = ROOT / "requirements" / "run.txt"
ELSEWHERE = {"colorama"}  # locked for Windows


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, SCRIPT, *words], capture_output=True, text=True, check=False
    )


def test_every_requirement_of_the_service_has_a_licence_and_its_text(tmp_path: Path) -> None:
    made = tmp_path / "doc" / "LICENCES.txt"
    ran = run(LOCKED, "--into", made)
    assert (ran.returncode, ran.stderr) == (0, "")
    text = made.read_text("utf-8")
    spec = importlib.util.spec_from_file_location("licences", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["licences"] = module
    spec.loader.exec_module(module)
    names = module.required(LOCKED.read_text("utf-8"))
    assert len(names) > 50
    found = {module._spelled(one.name): one for one in module.licences(names)}
    assert names - set(found) <= ELSEWHERE
    for one in found.values():
        assert one.says != "see its text"
        assert max(map(len, one.texts.values())) > 400
        assert all(words in text for words in one.texts.values())


def test_a_distribution_without_a_text_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    bare = tmp_path / "bare-1.0.dist-info"
    bare.mkdir()
    (bare / "METADATA").write_text("Metadata-Version: 2.1\nName: bare\nVersion: 1.0\n")
    (bare / "RECORD").write_text("bare-1.0.dist-info/METADATA,,\n")
    locked = tmp_path / "locked.txt"
    locked.write_text("bare==1.0\n")
    ran = subprocess.run(
        [sys.executable, SCRIPT, locked, "--into", tmp_path / "out"],
        capture_output=True, text=True, check=False, env={"PYTHONPATH": str(tmp_path)},
    )  # fmt: skip
    assert ran.returncode == 1
    assert "bare" in ran.stderr
    assert not (tmp_path / "out").exists()
