"""Checks an exported stream against its proof: `python verify_proof.py proof.json public.pem`. Needs only `cryptography`."""

import hashlib
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

COLUMNS = ("position", "stream", "version", "id", "type", "schema_version", "partition", "previous", "at", "data", "metadata")


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def content(event: dict) -> bytes:
    at = datetime.fromisoformat(event["recorded_at"]) - datetime(1970, 1, 1, tzinfo=UTC)
    columns = {**event, "at": at // timedelta(microseconds=1)}
    return sha256("\n".join(str(columns[name]) for name in COLUMNS).encode())


def main(proof_file: str, key_file: str) -> None:
    proof, key = json.loads(Path(proof_file).read_text()), load_pem_public_key(Path(key_file).read_bytes())
    version = proof["after_version"]
    for segment in proof["segments"]:
        digest, head = bytes.fromhex(segment["hash_before"]), segment["head"]
        position = head["position"] - len(segment["chain"])
        for link in segment["chain"]:
            position += 1
            if isinstance(link, dict):
                version += 1
                assert (link["position"], link["stream"], link["version"]) == (position, proof["stream"], version), link
            digest = sha256(digest + (content(link) if isinstance(link, dict) else bytes.fromhex(link)))
        assert digest.hex() == head["hash"], f"the chain does not lead to the head that was signed for {head['position']}"
        assert head["context"] == proof["context"], head
        name = hashlib.sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()
        assert head["key"] == name, f"signed with another key: {head['key']}"
        lines = ("caudal signed head 1", head["context"], head["position"], head["hash"], head["signed_at"])
        key.verify(bytes.fromhex(head["signature"]), "\n".join(map(str, lines)).encode())
    print(f"{proof['stream']}: versions {proof['after_version'] + 1} to {version} are in the log as signed", end="")
    print(f"; {proof['unsigned']} newer ones are not signed yet" if proof["unsigned"] else "")


if __name__ == "__main__":
    main(*sys.argv[1:])
