"""The data subjects' keys: created when a subject's first data are encrypted, destroyed when the subject is erased."""

import asyncio
import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from schemas.errors import Misconfigured, Rejected
from schemas.sensitive import is_encrypted, subject_of
from streams.database.pools import Databases
from streams.encryption.encryption import KEY_BYTES, MasterKeys, decrypt, decrypt_file, derived, encrypt, encrypt_file
from streams.installation import keys_store
from streams.settings import Settings

_BATCH_SIZE = 500


class SubjectKeys:
    """Encrypts, decrypts and erases. It caches no key: an erasure takes effect in every process at once."""

    def __init__(self, settings: Settings, databases: Databases) -> None:
        self._store = keys_store(settings, databases)
        self._file, self._text = settings.master_key_file, settings.master_keys
        self._masters: tuple[object, MasterKeys] | None = None

    async def encrypt(self, subject: str, texts: Mapping[str, str]) -> dict[str, str]:
        """Returns texts, by their purposes, encrypted for a subject, which gets a key if it has none.

        A text that is encrypted already is returned unchanged. Raises `Rejected` for an erased subject, or for a text that is
        encrypted for another subject, and `Misconfigured` without a master key.
        """
        key = await self._key(subject)
        encrypted = {}
        for purpose, text in texts.items():
            if is_encrypted(text) and (subject_of(text) != subject or decrypt(text, key) is None):
                raise Rejected(f"{purpose} has the prefix of an encrypted text, but is not encrypted for its subject")
            encrypted[purpose] = text if is_encrypted(text) else encrypt(text, key, subject, purpose)
        return encrypted

    async def decrypted(self, encrypted: Iterable[str]) -> Mapping[str, str]:
        """Returns plain texts by encrypted ones, without those of erased subjects; raises `Misconfigured`."""
        asked = {text for text in encrypted if is_encrypted(text)}
        keys = await self._keys({subject_of(text) for text in asked}) if asked else {}
        found = {text: decrypt(text, keys[subject_of(text)]) for text in asked if subject_of(text) in keys}
        return {text: plain for text, plain in found.items() if plain is not None}

    async def encrypt_file(self, subject: str, content: bytes) -> bytes:
        """Returns a file encrypted for a subject, which gets a key if it has none; raises as `encrypt`."""
        return await asyncio.to_thread(encrypt_file, content, await self._key(subject), subject)

    async def decrypt_file(self, subject: str, encrypted: bytes) -> bytes | None:
        """Returns the plain file; ``None`` if the subject was erased, or the file is not its own. Raises `Misconfigured`."""
        key = (await self._keys([subject])).get(subject)
        return None if key is None else await asyncio.to_thread(decrypt_file, encrypted, key, subject)

    async def secret(self, subject: str, purpose: str) -> bytes:
        """Returns a subject's secret for one purpose: always the same until it is erased. Raises as `encrypt`."""
        return derived(await self._key(subject), purpose)

    async def erase(self, subject: str) -> None:
        """Destroys a subject's key; the subject never gets another one."""
        await self._store.execute("subject_key_erase", subject)

    async def knows(self, subject: str) -> bool:
        """Returns whether a subject has or had a key."""
        return bool(await self._store.fetch("subject_keys", [subject]))

    async def has_key(self, subject: str) -> bool:
        """Returns whether what is encrypted for a subject can be decrypted."""
        return any(row["wrapped"] is not None for row in await self._store.fetch("subject_keys", [subject]))

    async def not_erased(self, subjects: Collection[str]) -> list[str]:
        """Returns which of some subjects are not erased: they have a key or can get one."""
        rows = await self._store.fetch("subjects_not_erased", list(subjects))
        return [row["subject"] for row in rows]

    async def wrapped_by_others(self) -> int:
        """Returns how many keys another master key than the newest one wraps."""
        return int(await self._store.fetchval("subject_keys_of_other_masters_count", self._master_keys().newest))

    async def rewrap(self) -> int:
        """Wraps every key with the newest master key and returns how many; raises `Misconfigured` without one."""
        masters, done = self._master_keys(), 0
        async with self._store.connection() as connection:
            while True:
                rows = await connection.fetch(self._store.sql("subject_keys_of_other_masters"), masters.newest, _BATCH_SIZE)
                for row in rows:
                    subject, wrapped = row["subject"], row["wrapped"]
                    fresh = masters.wrap(masters.unwrap(wrapped, subject, row["master"]), subject)
                    await connection.execute(self._store.sql("subject_key_rewrap"), subject, wrapped, fresh, masters.newest)
                done += len(rows)
                if not rows:
                    return done

    async def _keys(self, subjects: Collection[str]) -> dict[str, bytes]:
        """Returns the keys of those subjects that have one."""
        rows = await self._store.fetch("subject_keys", list(subjects))
        return {
            row["subject"]: self._master_keys().unwrap(row["wrapped"], row["subject"], row["master"])
            for row in rows
            if row["wrapped"] is not None
        }

    async def _key(self, subject: str) -> bytes:
        """Returns a subject's key, which is created if there is none."""
        if not subject or ":" in subject:
            raise Rejected("sensitive data need a data subject whose name is not empty and has no colon")
        return (await self._keys([subject])).get(subject) or await self._created(subject)

    async def _created(self, subject: str) -> bytes:
        masters = self._master_keys()
        wrapped = masters.wrap(os.urandom(KEY_BYTES), subject)
        await self._store.execute("subject_key_make", subject, wrapped, masters.newest)
        key = (await self._keys([subject])).get(subject)
        if key is None:
            raise Rejected("the data subject was erased: none of its data can be stored")
        return key

    def _master_keys(self) -> MasterKeys:
        """Returns the master keys, which are read again when their file has changed."""
        version = None if self._file is None else _version(self._file)
        if self._masters is None or self._masters[0] != version:
            text = self._text.get_secret_value() if self._file is None else _read(self._file)
            self._masters = (version, MasterKeys.parse(text))
        return self._masters[1]


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"the master keys cannot be read from {path}: {error}") from error


def _version(path: Path) -> object:
    try:
        stat = path.stat()
    except OSError as error:
        raise Misconfigured(f"the master keys cannot be read from {path}: {error.strerror}") from error
    return stat.st_mtime_ns, stat.st_ino
