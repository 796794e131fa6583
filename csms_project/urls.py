"""URL routes: the admin, a redirect from the root to it, and the health check."""

from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

from compat.views import health

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("health/", health, name="health"),
]
