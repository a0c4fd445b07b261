"""The Spanish words for the kinds of partners."""

from typing import get_args

from schemas.partner_alliances.parts import PartnerType
from schemas.partner_alliances.spanish import PARTNER_TYPES, TipoDePartner


def test_each_spanish_word_names_one_kind_and_each_kind_has_a_word() -> None:
    assert set(PARTNER_TYPES) == set(get_args(TipoDePartner))
    assert sorted(PARTNER_TYPES.values()) == sorted(get_args(PartnerType))
