"""The recent writes of callers: their reads wait for them, although their clients know no consistency tokens."""

import time
from collections import OrderedDict
from hashlib import blake2b

from schemas.consistency_token import MAX_TOKENS, ConsistencyToken
from schemas.errors import Malformed
from schemas.system import ContextName

KEPT_SECONDS = 10.0
"""So long a caller's reads wait for a write; afterwards every view has seen it, unless it is far behind."""
_MAX_CALLERS = 10_000


class RecentWrites:
    """The newest token of each caller for each partition, for a short time, in this process's memory."""

    def __init__(self, max_callers: int = _MAX_CALLERS) -> None:
        self._max = max_callers
        self._callers: OrderedDict[bytes, dict[tuple[ContextName, int], tuple[ConsistencyToken, float]]] = OrderedDict()

    def note(self, caller: str, text: str) -> None:
        """Notes the token of a write's answer."""
        try:
            token = ConsistencyToken.parse(text)
        except Malformed:
            return  # an API of another version: its reads do not wait
        tokens = self._callers.setdefault(_short(caller), {})
        place = (token.context, token.partition)
        known = tokens.pop(place, None)
        if known is not None and known[0].position > token.position:
            token = known[0]
        tokens[place] = (token, time.monotonic() + KEPT_SECONDS)
        if len(tokens) > MAX_TOKENS:
            del tokens[next(iter(tokens))]
        self._callers.move_to_end(_short(caller))
        if len(self._callers) > self._max:
            self._callers.popitem(last=False)

    def tokens(self, caller: str) -> str | None:
        """Returns the tokens of a caller's recent writes, as a header has them; ``None`` if there are none."""
        tokens = self._callers.get(_short(caller))
        if tokens is None:
            return None
        now = time.monotonic()
        for place in [place for place, (_, until) in tokens.items() if until < now]:
            del tokens[place]
        if not tokens:
            del self._callers[_short(caller)]
            return None
        return ", ".join(str(token) for token, _ in tokens.values())


def _short(caller: str) -> bytes:
    """Returns a digest: access tokens are long, and are secrets."""
    return blake2b(caller.encode(), digest_size=16).digest()
