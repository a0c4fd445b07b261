"""Stage 2, encryption: hashes passwords and encrypts sensitive fields, before a command is compared, stored or logged."""

from collections.abc import Mapping
from dataclasses import replace

from command_api.handling.idempotency import fingerprint
from command_api.handling.passwords import Passwords
from command_api.handling.request import CommandRequest
from schemas.errors import Invalid, Misconfigured, Violation, step
from schemas.sensitive import Password, is_encrypted, password_fields, sensitive_fields
from streams.encryption.subject_keys import SubjectKeys


class Encryption:
    """Encrypts commands under their data subjects' keys."""

    def __init__(self, keys: SubjectKeys | None, passwords: Passwords | None, *, is_seed: bool = False) -> None:
        """Raises `Misconfigured` at a command that needs ``keys`` or ``passwords`` if there are none.

        ``is_seed`` says that this is the profile for trying, which takes shorter passwords.
        """
        self._keys, self._passwords, self._is_seed = keys, passwords, is_seed

    async def apply(self, request: CommandRequest) -> CommandRequest:
        """Returns the request without plain texts that must not be stored, and with its fingerprint.

        Equal commands of one id are encrypted alike. Raises `Invalid` for a password that is too short in this profile, and
        `Rejected` if the data subject was erased.
        """
        command = request.command
        data = command.data
        passwords, sensitive = password_fields(type(data)), sensitive_fields(type(data))
        if passwords or sensitive:
            # Commands that arrive by topic were hashed and encrypted by the engine.
            texts = {name: text for name in passwords if (text := getattr(data, name)) is not None}
            given = {name: text for name, text in texts.items() if not is_encrypted(text)}
            self._check_lengths(passwords, given)
            changed = {name: await self._hasher().hashed(text, command.id) for name, text in given.items()}
            texts = {name: text for name in sensitive if (text := changed.get(name) or getattr(data, name)) is not None}
            if texts and (subject := data.subject_of(command.id)) is not None:
                encrypted = await self._subject_keys().encrypt(subject, {f"{command.id}/{name}": texts[name] for name in texts})
                changed |= {name: encrypted[f"{command.id}/{name}"] for name in texts}
            request = request.decided_as(data.model_copy(update=changed))
        return replace(request, fingerprint=fingerprint(request.command.data))

    def _check_lengths(self, marks: Mapping[str, Password], given: Mapping[str, str]) -> None:
        if self._is_seed:
            return
        found = [Violation(step("", name), why) for name, text in given.items() if (why := marks[name].why_too_short(text))]
        if found:
            raise Invalid("the password is too short", found)

    def _hasher(self) -> Passwords:
        if self._passwords is None:
            raise Misconfigured("no password can be hashed here: there are no threads that hash passwords")
        return self._passwords

    def _subject_keys(self) -> SubjectKeys:
        if self._keys is None:
            raise Misconfigured("nothing can be encrypted here: there are no keys of data subjects")
        return self._keys
