"""Scrubbing: nothing in a text names the person any more, and the rest is as it was."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregates.medical_datasets.scrubbing import Scrubber
from schemas.medical_datasets.parts import REMOVED, Diagnosis, Packet
from tests.unit.aggregates.medical_datasets.packets import PACKET

NAME, ADDRESS, PHONE, RECORD = "Juan Pérez Gómez", "Calle 10 # 5-20, Bogotá", "+57 300 123 4567", "HC-001"
SCRUBBER = Scrubber(NAME, (ADDRESS, PHONE, RECORD))


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        ("El paciente Juan Pérez Gómez volvió", f"El paciente {REMOVED} volvió"),
        ("JUAN  PEREZ\nGOMEZ.", f"{REMOVED}."),
        ("juan pe\u0301rez go\u0301mez", REMOVED),
        ("señor PÉREZ, don Juan", f"señor {REMOVED}, don {REMOVED}"),
        ("Juanes Pérezoso", "Juanes Pérezoso"),
        ("vive en calle 10 # 5-20, bogota.", f"vive en {REMOVED}."),
        ("tel. 573001234567 o +57 (300) 123-4567", f"tel. {REMOVED} o +{REMOVED}"),
        ("15730012345678", f"1{REMOVED}8"),
        ("+573001234567 y 3001234567, 300_123_4567, 300\u2013123\u20134567", f"+{REMOVED} y {REMOVED}, {REMOVED}, {REMOVED}"),
        ("foto_juan_perez_gomez.dcm y JuanPerezGomez", f"foto_{REMOVED}.dcm y {REMOVED}"),
        ("Jua\u00adn Pérez", f"{REMOVED} {REMOVED}"),
        ("HC1001 no es HC001, hc_001 ni HC 001", f"HC1001 no es {REMOVED}, {REMOVED} ni {REMOVED}"),
        ("Calle 10 #5-20 Bogotá", REMOVED),
        ("historia hc-001, no HC-0011", f"historia {REMOVED}, no HC-0011"),
        ("ﬁebre de Juan", f"ﬁebre de {REMOVED}"),
        ("", ""),
        ("Sin novedad", "Sin novedad"),
    ],
)
def test_a_person_is_taken_out_of_a_text_however_it_is_written(text: str, scrubbed: str) -> None:
    assert SCRUBBER.text(text) == scrubbed


def test_short_parts_of_a_name_stay_because_they_are_words() -> None:
    assert Scrubber("Ana de la Paz", ()).text("la paz de Ana, Ana de la Paz") == f"la paz de Ana, {REMOVED}"


def test_without_a_person_nothing_changes() -> None:
    assert Scrubber(None, (None, " ", "")).text("Juan") == "Juan"


def test_values_are_scrubbed_at_any_depth_with_their_keys_and_numbers() -> None:
    value = {"Juan": [1, 573001234567, True, None, {"a": "Pérez"}], "n": 1.5}

    assert SCRUBBER.value(value) == {REMOVED: [1, REMOVED, True, None, {"a": REMOVED}], "n": 1.5}


def test_no_member_is_lost_if_several_names_become_the_same() -> None:
    assert SCRUBBER.value({"Juan": 1, "Pérez": 2, "Gómez": 3}) == {REMOVED: 1, f"{REMOVED} 2": 2, f"{REMOVED} 3": 3}


def test_every_text_of_a_packet_is_scrubbed() -> None:
    packet = Packet(
        clinical_setting=NAME,
        diagnosis=Diagnosis(region=NAME, modality=NAME, pathology=NAME, text=NAME),
        created_at=PACKET.created_at,
        processing_context=NAME,
        clinical_notes=NAME,
        data={"paciente": NAME},
    )

    found = SCRUBBER.packet(packet)

    assert found.diagnosis == Diagnosis(region=REMOVED, modality=REMOVED, pathology=REMOVED, text=REMOVED)
    assert (found.clinical_setting, found.processing_context, found.clinical_notes) == (REMOVED,) * 3
    assert (found.data, found.created_at) == ({"paciente": REMOVED}, PACKET.created_at)
    assert SCRUBBER.packet(PACKET) == PACKET


def test_a_text_that_is_too_long_afterwards_is_an_error() -> None:
    with pytest.raises(ValueError, match="clinical_notes"):
        SCRUBBER.packet(Packet(clinical_notes="Juan " * 4000))


def plain(text: str) -> str:
    folded = unicodedata.normalize("NFKD", text.casefold())
    return "".join(one for one in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(one))


@given(st.text(max_size=30), st.text(max_size=30), st.sampled_from([str, str.upper, str.lower, str.title]))
def test_a_name_between_blanks_is_never_left(before: str, after: str, case: type[str]) -> None:
    found = SCRUBBER.text(f"{before} {case(NAME)} {after}")

    assert plain(NAME) not in plain(found)
    assert REMOVED in found


@given(st.text(max_size=60))
def test_texts_without_the_person_stay_as_they_are(text: str) -> None:
    if not any(part in plain(text) for part in ("juan", "perez", "gomez", "calle", "57", "hc")):
        assert SCRUBBER.text(text) == text
