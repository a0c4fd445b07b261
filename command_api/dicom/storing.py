"""Storing: a DICOM file is kept without its person, or encrypted until somebody has looked at it.

::

    bytes ── de-identified ───────────────────▶ images/{sha256}.dcm
      └── may show a person ── encrypted ─────▶ quarantine/{id}/{name}
      └── cannot be de-identified ────────────▶ NotDeidentifiable

Both are the same at a repeat. New UIDs, and the names of files in quarantine, depend on a secret of the deployment, which the
keys of data subjects hold: without it they cannot be computed from an original.
"""

import hmac
from uuid import UUID

from command_api.dicom.deidentification import Deidentified, deidentified
from command_api.dicom.rejections import NEED_A_LOOK, NotDeidentifiable, Reason
from command_api.handling.activities import ActivityContext
from schemas.errors import CostlyBefore, TooCostly, Unavailable
from schemas.values.dicom import DicomFile, QuarantinedFile, quarantine_subject
from streams.bounded_processes import Work
from streams.integrations.encrypted_files import EncryptedFiles
from streams.integrations.files import Files

PSEUDONYMS = "pseudonyms of images"
"""The data subject whose key holds the secret. After its erasure no image can be de-identified any more."""


async def store(
    dicom: bytes, id: UUID, client: str, context: ActivityContext, *, is_repeat: bool = False
) -> DicomFile | QuarantinedFile:
    """Stores a file, in quarantine under ``id``, and returns what is recorded of it; a repeat stores nothing.

    Raises `NotDeidentifiable`, `Unavailable`, and `Misconfigured` if no place for files is set.
    """
    files = Files.of(context.settings)
    try:
        image = await _deidentified(dicom, client, context, was_looked_at=False)
    except NotDeidentifiable as error:
        if error.reason not in NEED_A_LOOK:
            raise
        name = hmac.digest(await context.keys.secret(PSEUDONYMS, "names"), dicom, "sha256").hex()
        quarantined = QuarantinedFile(
            key=f"{_folder(id)}/{name}", bytes=len(dicom), modality=error.modality, reason=error.reason
        )
        if not is_repeat:
            await EncryptedFiles(context.settings, context.keys).put(quarantined.key, quarantine_subject(id), dicom)
        return quarantined
    file = _described(image)
    if not is_repeat:
        await files.put(file.key, image.dicom)
    return file


async def store_without_person(dicom: bytes, key: str, client: str, context: ActivityContext) -> DicomFile:
    """Stores a file without its person under a key of its own, the same at a repeat; one that may show a person is not stored.

    Raises `NotDeidentifiable`, `Unavailable`, and `Misconfigured` if no place for files is set.
    """
    image = await _deidentified(dicom, client, context, was_looked_at=False)
    file = _described(image).model_copy(update={"key": key})
    await Files.of(context.settings).put(key, image.dicom)
    return file


async def release(id: UUID, quarantined: QuarantinedFile, context: ActivityContext) -> DicomFile:
    """Stores a file that is in quarantine without its person, after somebody has seen that its pixels show nobody.

    Raises `NotDeidentifiable`, `NotFound` if there is no such file, and `Unavailable`.
    """
    dicom = await EncryptedFiles(context.settings, context.keys).get(quarantined.key, quarantine_subject(id))
    image = await _deidentified(dicom, str(id), context, was_looked_at=True)
    file = _described(image)
    await Files.of(context.settings).put(file.key, image.dicom)
    return file


async def delete_quarantined(id: UUID, context: ActivityContext) -> None:
    """Deletes what is in quarantine under an id; raises `Unavailable`."""
    files = Files.of(context.settings)
    async for key in files.keys(_folder(id)):
        await files.delete(key)


async def _deidentified(dicom: bytes, client: str, context: ActivityContext, *, was_looked_at: bool) -> Deidentified:
    secret = await context.keys.secret(PSEUDONYMS, "uids")
    work = Work("deidentify", client)
    try:
        image = await context.processes.run(work, deidentified, dicom, secret, was_looked_at=was_looked_at)
    except CostlyBefore as error:
        raise Unavailable("files of this sender took too much time: try again in a minute") from error
    except (TooCostly, MemoryError):
        raise NotDeidentifiable(Reason.TOO_COSTLY) from None
    if len(image.dicom) > context.settings.max_file_bytes:
        raise NotDeidentifiable(Reason.TOO_LARGE)
    return image


def _described(image: Deidentified) -> DicomFile:
    return DicomFile(
        key=f"images/{image.sha256}.dcm",
        sha256=image.sha256,
        bytes=len(image.dicom),
        modality=image.modality,
        transfer_syntax=image.transfer_syntax,
        sop_class=image.sop_class,
        rows=image.rows,
        columns=image.columns,
        frames=image.frames,
    )


def _folder(id: UUID) -> str:
    return f"quarantine/{id}"
