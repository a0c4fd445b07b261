"""The data subjects' keys: made when something of theirs is first kept, and destroyed when they are erased."""

import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from schemas.errors import Misconfigured, Rejected
from schemas.sensitive import is_encrypted, subject_of
from streams.database.pools import Databases
from streams.encryption.encryption import KEY_BYTES, MasterKeys, decrypt, encrypt
from streams.installation import keys_store
from streams.settings import Settings

_BATCH_SIZE = 500


class SubjectKeys:
    """Encrypts, opens and forgets. Keeps no key: what is erased is gone for every process at once."""

    def __init__(self, settings: Settings, databases: Databases) -> None:
        self._store = keys_store(settings, databases)
        self._file, self._text = settings.master_key_file, settings.master_keys
        self._masters: tuple[object, MasterKeys] | None = None

    async def encrypt(self, subject: str, texts: Mapping[str, str]) -> dict[str, str]:
        """Texts by their purposes, encrypted for a subject, which gets its key now if it has none.

        A text that is encrypted already is returned as it is. Raises `Rejected` for a subject that was erased, or a text that
        is encrypted for another subject, and `Misconfigured` without a master key.
        """
        if not subject or ":" in subject:
            raise Rejected("what is sensitive needs a subject whose name has no colon")
        key = (await self._keys([subject])).get(subject) or await self._made(subject)
        encrypted = {}
        for purpose, text in texts.items():
            if is_encrypted(text) and (subject_of(text) != subject or decrypt(text, key) is None):
                raise Rejected(f"{purpose} begins like a encrypted text and is none of its subject's")
            encrypted[purpose] = text if is_encrypted(text) else encrypt(text, key, subject, purpose)
        return encrypted

    async def decrypted(self, encrypted: Iterable[str]) -> Mapping[str, str]:
        """Plain texts by what was encrypted; what nobody can open any more is missing."""
        asked = {text for text in encrypted if is_encrypted(text)}
        keys = await self._keys({subject_of(text) for text in asked}) if asked else {}
        found = {text: decrypt(text, keys[subject_of(text)]) for text in asked if subject_of(text) in keys}
        return {text: plain for text, plain in found.items() if plain is not None}

    async def erase(self, subject: str) -> None:
        """Destroys a subject's key; from now on it gets no other."""
        await self._store.execute("subject_key_erase", subject)

    async def knows(self, subject: str) -> bool:
        """Whether a subject has a key, or had one."""
        return bool(await self._store.fetch("subject_keys", [subject]))

    async def not_erased(self, subjects: Collection[str]) -> list[str]:
        """Which of some subjects have a key, or could get one: the keys know nothing of their having been erased."""
        rows = await self._store.fetch("subjects_not_erased", list(subjects))
        return [row["subject"] for row in rows]

    async def rewrap(self) -> int:
        """Wraps every key with the newest master key; returns how many were not."""
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
        """The keys of those subjects that have one."""
        rows = await self._store.fetch("subject_keys", list(subjects))
        return {
            row["subject"]: self._master_keys().unwrap(row["wrapped"], row["subject"], row["master"])
            for row in rows
            if row["wrapped"] is not None
        }

    async def _made(self, subject: str) -> bytes:
        masters = self._master_keys()
        wrapped = masters.wrap(os.urandom(KEY_BYTES), subject)
        await self._store.execute("subject_key_make", subject, wrapped, masters.newest)
        made = (await self._keys([subject])).get(subject)
        if made is None:
            raise Rejected("nothing can be kept of a subject that was erased")
        return made

    def _master_keys(self) -> MasterKeys:
        """The master keys; from a file they are read again whenever it has changed."""
        mark = None if self._file is None else _mark(self._file)
        if self._masters is None or self._masters[0] != mark:
            text = self._text.get_secret_value() if self._file is None else self._file.read_text()
            self._masters = (mark, MasterKeys.parse(text))
        return self._masters[1]


def _mark(path: Path) -> object:
    try:
        stat = path.stat()
    except OSError as error:
        raise Misconfigured(f"the master keys cannot be read: {error.strerror}") from error
    return stat.st_mtime_ns, stat.st_ino
