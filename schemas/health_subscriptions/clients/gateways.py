"""The origins of the subscriptions' clients."""

from schemas.clients.gateway import Gateway

GATEWAYS = (
    Gateway("health_subscriptions.bff", 5005, "Subscriptions, data services and images for the web page."),
    Gateway(
        "health_subscriptions.notificaciones",
        5003,
        "The notifications of subscriptions.",
        paths={"POST /test-notification": "/test-notification"},
        only_paths=True,
        answers={"/": {"message": "Microservicio de notificaciones en ejecución"}},
    ),
)
