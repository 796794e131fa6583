"""Users of the admin with given permissions."""

from django.contrib.auth.models import Permission, User
from django.test import Client

VIEW = ("view_structure", "view_run", "view_reject")


def login(*codenames, staff=True, enforce_csrf_checks=False):
    """Return a client that is logged in as a new user with these permissions of CSMS."""
    user = User.objects.create_user(f"user{User.objects.count()}", is_staff=staff)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="compat", codename__in=codenames))
    client = Client(enforce_csrf_checks=enforce_csrf_checks)
    client.force_login(user)
    return client
