"""Systems of a test's own, which processes find as installed ones."""

from pathlib import Path

ROOT = Path(__file__).parents[1]


def installed(name: str, folder: Path) -> dict[str, str]:
    """Leaves in a folder what an installation of ``tests/<name>.py`` would leave; returns the environment that finds it."""
    metadata = folder / f"{name}-0.1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1.0\n")
    (metadata / "entry_points.txt").write_text(f"[caudal.systems]\n{name} = tests.{name}:SYSTEM\n")
    return {"PYTHONPATH": f"{folder}:{ROOT}"}
