"""The services of a sidecar, by their systems; and the generated code of a protocol, which is that of the protocol."""

import subprocess
import sys
from pathlib import Path

import pytest

from deploy.serving.sidecar import wanted_services
from schemas.errors import Misconfigured
from streams.discovery import installed_catalog

ROOT = Path(__file__).parents[4]
GENERATED = ROOT / "deploy" / "flight_reservations"


def test_systems_with_services_are_found() -> None:
    catalog = installed_catalog(["flight_reservations", "clinical_lab"])

    for names in ([], ["flight_reservations"]):
        assert [(one.name, one.gateway) for one in wanted_services(names, catalog)] == [
            ("vuelos.Vuelos", "flight_reservations")
        ]
    with pytest.raises(Misconfigured, match="clinical_lab has no gRPC service; systems that have some: flight_reservations"):
        wanted_services(["clinical_lab"], catalog)
    with pytest.raises(Misconfigured, match="no installed system has a gRPC service"):
        wanted_services([], installed_catalog(["clinical_lab"]))


def test_the_generated_code_is_that_of_the_protocol(tmp_path: Path) -> None:
    out = [f"--{kind}_out={tmp_path}" for kind in ("python", "pyi", "grpc_python")]
    folder = "deploy/flight_reservations"
    command = [
        sys.executable,
        "-m",
        "grpc_tools.protoc",
        f"-I{folder}=schemas/flight_reservations",
        *out,
        f"{folder}/vuelos.proto",
    ]
    subprocess.run(command, cwd=ROOT, check=True)

    made = {path.name: path.read_text() for path in (tmp_path / folder).iterdir()}
    assert made == {path.name: path.read_text() for path in GENERATED.iterdir() if "_pb2" in path.name}, "run `make protos`"
