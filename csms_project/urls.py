"""URL routes: the admin, the root that leads to it, and a page for probes."""

from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

from compat.views import health

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("health/", health, name="health"),
]
