"""The vocabulary: a word that has a better one is not used in code, comments, docstrings, SQL, settings or documents.

An identifier is read as its words: ``is_told`` and ``IsTold`` both hold "told". A word that is right in one file is listed in
`ALLOWED` with its reason.
"""

import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]

BETTER: Mapping[str, str] = {
    # language
    r"whoever|whomever": "name the caller, the process or the operator",
    r"whatever": "any, every, or name the thing",
    r"those who|those whom": "name them: callers, operators, readers",
    r"what came of|came of|comes of|becomes of": "the result of",
    r"by (?:its|their|his|her) own word": "self-declared, not verified",
    r"held against|holds? [a-z]+ against": "checked against, compared with",
    r"under ?way": "in flight, in progress",
    r"played in|plays? [a-z ]+ in": "restored",
    r"come to be|came to be|comes to be": "was created, exists",
    r"goes round": "bypasses",
    r"the dearest": "the most expensive",
    r"moods?": "noise",
    r"is content": "reports no difference",
    r"(?:for|put) to rest": "pause, suspend",
    r"nobody goes": "cannot be",
    r"stands?|stood|standing": "is at, depends on, is blocked",
    r"stand aside|stands aside|step aside": "suspend",
    r"tells?|told|telling": "says, sends, reports, shows",
    r"lets? (?:go|come|[a-z]+ go|what)": "drops, or name the effect",
    r"mends?|mended|mending": "repair, repaired",
    r"so that nobody": "name who cannot",
    r"where (?:there (?:is|are|was)|no|none|any|it (?:has|had|cannot)|one is given)": "if",
    # the terms of the field
    r"process managers?|caudal processes|engine[.]processes|process advanced|advance process": "saga",
    r"refuse|refuses|refused|refusal|refusals|refusing": "reject, rejected, rejection",
    r"seal|seals|sealed|sealing|unseal|unsealed|is sealed": "encrypt, encrypted, decrypted",
    r"forget|forgets|forgotten|forgetting|forgot": "erase, drop, lose",
    r"(?<!dead )(?<!capital )(?<!small )letters": "dead letters",
    r"strange": "foreign, invalid, unknown",
    r"desk": "gateway, operations",
    r"surroundings": "context, infrastructure",
    r"intake": "topic worker",
    r"attendance": "subscription control",
    r"hindrances?": "blockers",
    r"continuity": "gap filling",
    r"not undone|undoes|undone|undo": "compensate, compensation, revert",
    r"complain|complains|complaining|complaint|complaints": "report errors",
    r"keeps dying": "crash loop",
    r"teller": "reporter",
    r"sequel|sequels": "successors",
    r"patience": "timeout, limit",
    r"may rest": "may wait indefinitely",
    r"(logs?|it|and) rests": "is suspended",
    r"let go": "dropped",
    r"issued": "sent, command, envelope",
    r"step back|steps back": "yield the lease",
    r"upkeep": "maintenance",
    r"is cared for|cared for": "is published",
    r"settle|settled|settles": "acknowledge, finished",
    r"disown|disowns|disowned": "evict",
    r"upto": "up_to",
}
"""Patterns of words, in lower case and separated by single blanks, with what to write instead."""

NOT_COVERED = ("LICENSE", "tests/architecture/test_vocabulary.py", "deploy/operations_page/files/vendor/")
"""A licence has the words of its authors, and this file names the words."""

_TOKENS = "a token is issued: the word of OAuth 2.0"
_POSTGRES = "the server refuses: PostgreSQL's own word"
_DRIVER = "a name of a library"

ALLOWED: Mapping[tuple[str, str], str] = {
    ("deploy/local/servers/postgres.py", "refuses"): _POSTGRES,
    ("deploy/local/servers/readiness.py", "refused"): "a connection is refused: the word of TCP",
    ("docs/production.md", "issued"): _TOKENS,
    ("streams/integrations/mail.py", "refused"): _DRIVER,
    ("streams/security/tokens.py", "issued"): _TOKENS,
    ("streams/settings.py", "issued"): _TOKENS,
    ("tests/unit/deploy/operations/sagas/test_listing.py", "letters"): "letters of the alphabet",
    ("tests/unit/query_api/views/test_row_access.py", "letters"): "a view of letters, as an example",
    ("tests/unit/streams/database/test_errors.py", "refused"): _DRIVER,
    ("tests/unit/streams/security/test_tokens.py", "issued"): _TOKENS,
}
"""By file and words: why they are right there."""

_FILES = ("*.py", "*.sql", "*.md", "*.toml", "*.yaml", "*.js", "*.properties", "Makefile", "*/Dockerfile")
_ANY = re.compile(f"(?<![a-z])(?:{'|'.join(BETTER)})(?![a-z])")
_WORD_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[_\-\s]+")


_OPENING = re.compile(r'^\s*"""(What|Lets|Somebody|Nobody|Whose|Where)\b')
"""A docstring that begins so describes a thing around the corner: a noun or a verb in the third person says it directly."""


class Found(NamedTuple):
    """A word that has a better one."""

    line: int
    words: str
    better: str


def found_in(text: str) -> Iterator[Found]:
    """Returns each word in a text that has a better one."""
    for number, line in enumerate(text.splitlines(), 1):
        plain = _WORD_BOUNDARY.sub(" ", line).lower()
        for match in _ANY.finditer(plain):
            words = match.group()
            better = next(better for pattern, better in BETTER.items() if re.fullmatch(pattern, words))
            yield Found(number, words, better)


def covered() -> list[str]:
    """Returns the tracked files that are checked."""
    listed = subprocess.run(["git", "ls-files", *_FILES], cwd=ROOT, check=True, capture_output=True, text=True)
    return [path for path in listed.stdout.split() if not path.startswith(NOT_COVERED)]


def test_no_word_is_used_that_has_a_better_one() -> None:
    faults = [
        f"{path}:{found.line}: {found.words!r}: write {found.better}"
        for path in covered()
        if (ROOT / path).exists()
        for found in found_in((ROOT / path).read_text())
        if (path, found.words) not in ALLOWED
    ]

    assert not faults, "\n" + "\n".join(faults)


def test_no_file_has_a_name_with_such_a_word() -> None:
    faults = [f"{path}: {found.words!r}: write {found.better}" for path in covered() for found in found_in(path)]

    assert not faults, "\n" + "\n".join(faults)


def test_no_docstring_begins_with_a_question_word() -> None:
    faults = [
        f"{path}:{number}: {match.group(1)!r}: begin with a noun, or for a function with a verb in the third person"
        for path in covered()
        if path.endswith(".py") and (ROOT / path).exists()
        for number, line in enumerate((ROOT / path).read_text().splitlines(), 1)
        if (match := _OPENING.match(line))
    ]

    assert not faults, "\n" + "\n".join(faults)


def test_every_exception_is_still_needed() -> None:
    used = {(path, found.words) for path in {path for path, _ in ALLOWED} for found in found_in((ROOT / path).read_text())}

    assert not set(ALLOWED) - used, "remove these from ALLOWED"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('"""What came of a run, for whoever asks."""', ["what came of", "whoever"]),
        ("told = orjson.loads(out)", ["told"]),
        ("class ForgetSubject(Command):", ["forget"]),
        ("TOLD_AND_SEALED = is_sealed(text)", ["told", "sealed", "is sealed"]),
        ("# A bad line is Refused, and stands still.", ["refused", "stands"]),
        ("letters = dead_letters + deadLetters", ["letters"]),
        ("def test_batches_are_under_way_at_once() -> None:", ["under way"]),
        ("select upto from {schema}.heads -- mended", ["upto", "mended"]),
    ],
)
def test_words_are_found_in_prose_and_in_identifiers(line: str, words: list[str]) -> None:
    assert [found.words for found in found_in(f"\n{line}\n")] == words
    assert {found.line for found in found_in(f"\n{line}\n")} == {2}


@pytest.mark.parametrize(
    "line",
    [
        '"""Returns the dead letters of a subscription; the standard is understood."""',
        "rejected = encrypted_fields(View); small letters; foretold; intellect",
        "def notify(outstanding: int) -> None:  # a stranger cannot read it",
    ],
)
def test_other_words_are_not_found(line: str) -> None:
    assert list(found_in(line)) == []


def test_openings_of_docstrings_are_recognised() -> None:
    assert _OPENING.match('    """What a view holds."""')
    assert not _OPENING.match('    """The rows of a view. What they hold is declared."""')
