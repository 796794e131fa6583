"""Views outside of the admin."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from compat.health import is_healthy


@never_cache
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """Answer a probe: 200 when the database answers and its structure has no error, otherwise 503.

    The answer has no details because it needs no login.
    """
    healthy = is_healthy()
    return JsonResponse({"status": "ok" if healthy else "failing"}, status=200 if healthy else 503)
