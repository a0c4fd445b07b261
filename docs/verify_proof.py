"""Checks an exported stream against its proof: `python verify_proof.py proof.json public.pem`. Needs only `cryptography`."""

import hashlib
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

COLUMNS = ("position", "stream", "version", "id", "type", "schema_version", "partition", "previous", "at", "data", "metadata")


def content(event: dict) -> bytes:
    at = datetime.fromisoformat(event["recorded_at"]) - datetime(1970, 1, 1, tzinfo=UTC)
    columns = {**event, "at": at // timedelta(microseconds=1)}
    return hashlib.sha256("\n".join(str(columns[name]) for name in COLUMNS).encode()).digest()


def check(fits: bool, otherwise: str) -> None:
    if not fits:
        sys.exit(f"NOT as signed: {otherwise}")


def main(proof_file: str, key_file: str) -> None:
    proof, key = json.loads(Path(proof_file).read_text()), load_pem_public_key(Path(key_file).read_bytes())
    key_name = hashlib.sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()
    version = proof["after_version"]
    for segment in proof["segments"]:
        digest, head = bytes.fromhex(segment["hash_before"]), segment["head"]
        position = head["position"] - len(segment["chain"])
        for link in segment["chain"]:
            position += 1
            if isinstance(link, dict):
                version += 1
                check((link["position"], link["stream"], link["version"]) == (position, proof["stream"], version), f"{link}")
            digest = hashlib.sha256(digest + (content(link) if isinstance(link, dict) else bytes.fromhex(link))).digest()
        check(digest.hex() == head["hash"], f"the chain does not lead to what was signed for {head['position']}")
        check((head["context"], head["key"]) == (proof["context"], key_name), f"another log or another key: {head}")
        lines = ("caudal signed head 1", head["context"], head["position"], head["hash"], head["signed_at"])
        key.verify(bytes.fromhex(head["signature"]), "\n".join(map(str, lines)).encode())
    check(version > proof["after_version"], "the proof proves no version")
    told = (
        f"versions {proof['after_version'] + 1} to {version} are as signed, {proof['unsigned']} newer ones are not signed yet"
    )
    print(f"{proof['context']} {proof['stream']}: {told}")


if __name__ == "__main__":
    main(*sys.argv[1:])
