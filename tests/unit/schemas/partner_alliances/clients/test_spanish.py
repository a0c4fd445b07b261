"""The Spanish words for kinds and statuses."""

from collections.abc import Mapping
from typing import get_args

import pytest

from schemas.partner_alliances.clients.spanish import (
    ACCOUNT_STATES,
    AFFILIATION_STATUSES,
    COMMISSION_MODELS,
    KYC_STATUSES,
    PARTNER_TYPES,
    PROGRAM_STATUSES,
    PROGRAM_TYPES,
    EstadoDeAfiliacion,
    EstadoDeCuenta,
    EstadoDePrograma,
    EstadoKyc,
    TipoDeContrato,
    TipoDePartner,
    TipoDePrograma,
)
from schemas.partner_alliances.compliance import AccountState
from schemas.partner_alliances.partners import KycStatus
from schemas.partner_alliances.parts import AffiliationStatus, CommissionModel, PartnerType, ProgramStatus, ProgramType


@pytest.mark.parametrize(
    ("words", "spanish", "kinds"),
    [
        (PARTNER_TYPES, TipoDePartner, PartnerType),
        (KYC_STATUSES, EstadoKyc, KycStatus),
        (ACCOUNT_STATES, EstadoDeCuenta, AccountState),
        (COMMISSION_MODELS, TipoDeContrato, CommissionModel),
        (PROGRAM_STATUSES, EstadoDePrograma, ProgramStatus),
        (PROGRAM_TYPES, TipoDePrograma, ProgramType),
        (AFFILIATION_STATUSES, EstadoDeAfiliacion, AffiliationStatus),
    ],
)
def test_each_word_names_one_kind_and_each_kind_has_a_word(words: Mapping[str, str], spanish: object, kinds: object) -> None:
    assert set(words) == set(get_args(spanish))
    assert sorted(words.values()) == sorted(get_args(kinds))
