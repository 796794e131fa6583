"""Settings of the CSMS project. Everything that differs between machines comes from the environment.

DATABASE_URL            the database; default: db.sqlite3 in the root of the project
LEGACY_DATABASE_URL     a second database, alias `legacy`, to copy from
LEGACY_TIME_ZONE        time zone of legacy timestamps without one; default: TIME_ZONE
DJANGO_ALLOWED_HOSTS    comma-separated host names; setting it makes this a production server
DJANGO_SECRET_KEY       required in production
DJANGO_HSTS_SECONDS     seconds of HTTP Strict Transport Security; default: 0, off
DJANGO_DEBUG            `1` for the debug pages of Django; local use only
DJANGO_LANGUAGE_CODE    en-us (the default) or zh-hans: language of commands, and of pages if the browser asks for none
COMPAT_STARTUP          what a starting server does: off, verify, repair or copy (the default)
COMPAT_LOG_LEVEL        level of the logger `compat`; default: INFO
COMPAT_LOG_FORMAT       `line` (the default) or `json`: one JSON object per line
"""

import os
import warnings
from pathlib import Path

from csms_project.choices import chosen, number
from csms_project.databases import parse, served
from csms_project.secrets import secret_key

BASE_DIR = Path(__file__).resolve().parent.parent

ALLOWED_HOSTS = [host for host in os.environ.get("DJANGO_ALLOWED_HOSTS", "").split(",") if host]
PRODUCTION = bool(ALLOWED_HOSTS)
DEBUG = not PRODUCTION and os.environ.get("DJANGO_DEBUG") == "1"
if not PRODUCTION:
    ALLOWED_HOSTS = ["localhost", ".localhost", "127.0.0.1", "[::1]"]
SECRET_KEY = secret_key(BASE_DIR / ".secret_key", production=PRODUCTION)

SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
SECURE_REDIRECT_EXEMPT = ["^health/$"]  # probes inside the cluster use no TLS
SECURE_HSTS_SECONDS = number("DJANGO_HSTS_SECONDS", default=0)  # browsers keep it, so it is never on by itself
SILENCED_SYSTEM_CHECKS = ["security.W004", "security.W005", "security.W021"]  # HSTS, its subdomains and preloading
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PRODUCTION else None

INSTALLED_APPS = [
    "compat",
    "compat.structure",
    "compat.copying",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "csms_project.urls"
WSGI_APPLICATION = "csms_project.wsgi.application"
ASGI_APPLICATION = "csms_project.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DATABASES = {
    "default": served("DATABASE_URL", os.environ.get("DATABASE_URL") or f"sqlite:///{BASE_DIR / 'db.sqlite3'}")
}
if legacy_url := os.environ.get("LEGACY_DATABASE_URL"):
    DATABASES["legacy"] = parse("LEGACY_DATABASE_URL", legacy_url)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

COMPAT: dict[str, object] = {}  # see docs/operations.md; compat/conf.py has the defaults

LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LANGUAGE_CODE = chosen("DJANGO_LANGUAGE_CODE", "en-us", "en", "zh-hans", default="en-us")
TIME_ZONE = "UTC"
LEGACY_TIME_ZONE = os.environ.get("LEGACY_TIME_ZONE") or TIME_ZONE
USE_I18N = True
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
WHITENOISE_USE_FINDERS = True
warnings.filterwarnings("ignore", "No directory at")  # collectstatic is not required
# WhiteNoise under ASGI:
warnings.filterwarnings("ignore", "StreamingHttpResponse must consume", module="django.core.handlers.asgi")

LOG_LEVEL = chosen("COMPAT_LOG_LEVEL", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL", default="INFO")
LOG_FORMAT = chosen("COMPAT_LOG_FORMAT", "line", "json", default="line")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"},
        "json": {"()": "csms_project.logs.JsonLines"},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "loggers": {"compat": {"handlers": ["stderr"], "level": LOG_LEVEL}},
}
