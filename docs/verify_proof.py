"""Checks an exported stream: `python verify_proof.py proof.json public.pem [older.pem …]`. Needs only `cryptography`."""

import hashlib
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

COLUMNS = ("position", "stream", "version", "id", "type", "schema_version", "partition", "previous", "at", "data", "metadata")


def content(event: dict) -> bytes:
    since = datetime.fromisoformat(event["recorded_at"]) - datetime(1970, 1, 1, tzinfo=UTC)
    columns = {**event, "at": since // timedelta(microseconds=1)}
    return hashlib.sha256("\n".join(str(columns[name]) for name in COLUMNS).encode()).digest()


def check(fits: bool, otherwise: str) -> None:
    fits or sys.exit(f"NOT as signed: {otherwise}")


def main(proof_file: str, *key_files: str) -> None:
    proof, keys = json.loads(Path(proof_file).read_text()), {}
    for key in (load_pem_public_key(Path(file).read_bytes()) for file in key_files):
        keys[hashlib.sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()] = key
    check(bool(proof.get("segments")), f"there is nothing in it that is signed, or yet: {list(proof)}")
    version = proof["after_version"]
    for segment in proof["segments"]:
        digest, head = bytes.fromhex(segment["hash_before"]), segment["head"]
        for position, link in enumerate(segment["chain"], head["position"] - len(segment["chain"]) + 1):
            if isinstance(link, dict):
                version += 1
                check((link["position"], link["stream"], link["version"]) == (position, proof["stream"], version), f"{link}")
            digest = hashlib.sha256(digest + (content(link) if isinstance(link, dict) else bytes.fromhex(link))).digest()
        check(digest.hex() == head["hash"], f"the chain does not lead to what was signed for {head['position']}")
        check(head["context"] == proof["context"] and head["key"] in keys, f"another log, or a key that is not trusted: {head}")
        signed = ("context", "position", "hash", "timeline", "signed_at")
        lines = ("caudal signed head 1", *(str(head[name]) for name in signed))
        try:
            keys[head["key"]].verify(bytes.fromhex(head["signature"]), "\n".join(lines).encode())
        except InvalidSignature:
            sys.exit(f"NOT as signed: the signature is not that of {head}")
    print(f"{proof['context']} {proof['stream']}: versions {proof['after_version'] + 1} to {version} are as signed")


if __name__ == "__main__":
    main(*sys.argv[1:]) if len(sys.argv) > 2 else sys.exit(__doc__)
