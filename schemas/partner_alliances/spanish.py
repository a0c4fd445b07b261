"""The Spanish words of the partner alliances' clients for the kinds of partners."""

from collections.abc import Mapping
from typing import Literal

from schemas.partner_alliances.parts import PartnerType

TipoDePartner = Literal["CORPORATIVO", "INDIVIDUAL", "STARTUP", "AGENCIA", "SIN_ANIMO_DE_LUCRO"]

PARTNER_TYPES: Mapping[TipoDePartner, PartnerType] = {
    "CORPORATIVO": "CORPORATE",
    "INDIVIDUAL": "INDIVIDUAL",
    "STARTUP": "STARTUP",
    "AGENCIA": "AGENCY",
    "SIN_ANIMO_DE_LUCRO": "NON_PROFIT",
}
