"""Several Label Studios: the calling one's name in the routes' prefix ``/hosts/<host>``."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Blueprint, Flask, abort, g, request
from werkzeug.routing import RequestRedirect

from edgeflow_backend.settings import Settings


def add_hosts(app: Flask, routes: Blueprint, settings: Settings) -> None:
    """Read the calling Label Studio's name from the route's prefix ``/hosts/<host>``."""

    @app.before_request
    def refuse_redirect() -> None:
        """From ``/hosts/<host>`` to ``/hosts/<host>/``, since it would repeat an unknown name."""
        redirects = isinstance(request.routing_exception, RequestRedirect)
        if redirects and request.path.rpartition("/")[2] not in settings.label_studio_hosts:
            abort(HTTPStatus.NOT_FOUND)

    @routes.url_value_preprocessor
    def note_host(_: str | None, values: dict[str, Any] | None) -> None:
        g.host = values.pop("host", "") if values else ""

    @routes.before_request  # after authentication, so that host names do not leak
    def refuse_unknown_host() -> None:
        if g.host and g.host not in settings.label_studio_hosts:
            abort(HTTPStatus.NOT_FOUND)
