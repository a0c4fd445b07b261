"""Encrypted files: each under the key of a data subject, without which neither it nor a copy of it can be read."""

from schemas.errors import NotFound
from streams.encryption.subject_keys import SubjectKeys
from streams.integrations.files import Files
from streams.settings import Settings


class EncryptedFiles:
    """The encrypted files of a deployment."""

    def __init__(self, settings: Settings, keys: SubjectKeys) -> None:
        """Raises `Misconfigured` if no place for files is set."""
        self._files, self._keys = Files.of(settings), keys

    async def put(self, key: str, subject: str, content: bytes) -> None:
        """Encrypts a file for a subject and writes it; raises as `SubjectKeys.encrypt` and `Files.put`."""
        await self._files.put(key, await self._keys.encrypt_file(subject, content))

    async def get(self, key: str, subject: str) -> bytes:
        """Returns a file as it was before its encryption; raises `NotFound`, also for one of an erased subject."""
        found = await self._keys.decrypt_file(subject, await self._files.get(key))
        if found is None:
            raise NotFound(f"the file {key} cannot be read any more")
        return found
