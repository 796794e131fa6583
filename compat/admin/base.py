"""The base of the admin pages of the two engines: read-only, with pages and permissions of their own."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest
from django.template.response import TemplateResponse


class PageAdmin(admin.ModelAdmin):
    """Shows a model without adding, changing or deleting anything."""

    actions: Any = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Return False: only the engines add these rows."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Return False: only the engines change these rows."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Return False: only the engines delete these rows."""
        return False

    def require(self, request: HttpRequest, *permissions: str) -> None:
        """Raise PermissionDenied unless the user may view the page and has these permissions of CSMS."""
        if not self.has_view_permission(request) or not request.user.has_perms([f"compat.{p}" for p in permissions]):
            raise PermissionDenied

    def page(self, request: HttpRequest, template: str, title: str, **context: Any) -> TemplateResponse:
        """Return a page in the style of the admin."""
        shared = {**self.admin_site.each_context(request), "opts": self.model._meta, "title": title}
        request.current_app = self.admin_site.name
        return TemplateResponse(request, f"compat/{template}", {**shared, **context})
