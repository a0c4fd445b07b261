"""JSON responses."""

from datetime import UTC, datetime

from streams.http.responses import JsonResponse


def test_a_json_response_ends_its_line() -> None:
    response = JsonResponse({"at": datetime(2026, 1, 1, tzinfo=UTC), "text": "ñ"})

    assert response.body == '{"at":"2026-01-01T00:00:00Z","text":"ñ"}\n'.encode()
    assert response.headers["content-type"] == "application/json"
