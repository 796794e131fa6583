"""Migrate large third-party apps, then verify: there must be no error and no warning.

In a separate virtual environment:

    python -m venv ~/apps && ~/apps/bin/pip install -r requirements.txt "Django<5.3" wagtail wagtail-localize \
        wagtailmenus django-oscar django-cms django-machina django-allauth django-oauth-toolkit django-oidc-provider \
        django-cas-server django-celery-beat django-celery-results django-q2 django-rq django-apscheduler \
        django-background-tasks django-guardian django-organizations django-invitations django-reversion \
        django-simple-history django-auditlog django-easy-audit django-axes django-defender django-otp \
        django-two-factor-auth djangorestframework djangorestframework-api-key djangorestframework-simplejwt \
        django-rest-knox django-tastypie django-filer django-photologue django-newsletter sorl-thumbnail \
        django-comments-xtd django-activity-stream django-star-ratings django-hitcount django-avatar \
        django-ordered-model django-polymorphic django-parler django-mptt django-money django-silk django-sql-explorer \
        django-data-browser django-watson django-cities-light django-post-office django-mailbox \
        django-push-notifications django-webpush django-waffle django-constance django-fsm-log django-ca \
        django-viewflow django-pgtrigger django-pghistory social-auth-app-django django-extensions
    ~/apps/bin/python -m benchmarks.structure_apps [DATABASE_URL]

The default is a new SQLite file. A given database must be empty. Apps that are not installed are skipped.
"""

import importlib.util
import sys
import tempfile
import time
import warnings
from collections import Counter

import django
from django.conf import settings
from django.core.management import call_command

from csms_project.databases import served

APPS = """
modelcluster wagtail.contrib.forms wagtail.contrib.redirects wagtail.contrib.search_promotions wagtail.embeds
wagtail.sites wagtail.users wagtail.snippets wagtail.documents wagtail.images wagtail.search wagtail.admin wagtail
oscar.apps.analytics.apps.AnalyticsConfig oscar.apps.checkout.apps.CheckoutConfig
oscar.apps.address.apps.AddressConfig oscar.apps.shipping.apps.ShippingConfig
oscar.apps.catalogue.apps.CatalogueConfig oscar.apps.catalogue.reviews.apps.CatalogueReviewsConfig
oscar.apps.communication.apps.CommunicationConfig oscar.apps.partner.apps.PartnerConfig
oscar.apps.basket.apps.BasketConfig oscar.apps.payment.apps.PaymentConfig oscar.apps.offer.apps.OfferConfig
oscar.apps.order.apps.OrderConfig oscar.apps.customer.apps.CustomerConfig oscar.apps.search.apps.SearchConfig
oscar.apps.voucher.apps.VoucherConfig oscar.apps.wishlists.apps.WishlistsConfig
haystack sorl.thumbnail django_tables2
cms menus treebeard sekizai
wagtail.contrib.settings wagtail.contrib.simple_translation wagtail_localize wagtail_localize.locales wagtailmenus
machina machina.apps.forum machina.apps.forum_conversation machina.apps.forum_conversation.forum_attachments
machina.apps.forum_conversation.forum_polls machina.apps.forum_feeds machina.apps.forum_moderation
machina.apps.forum_search machina.apps.forum_tracking machina.apps.forum_member machina.apps.forum_permission
allauth allauth.account allauth.socialaccount allauth.mfa allauth.usersessions
oauth2_provider django_celery_beat django_celery_results guardian reversion simple_history axes
easy_thumbnails filer mptt django_otp django_otp.plugins.otp_totp django_otp.plugins.otp_static waffle constance
taggit rest_framework rest_framework.authtoken social_django django_extensions
django_q django_rq django_apscheduler background_task organizations invitations auditlog easyaudit defender
django_otp.plugins.otp_email django_otp.plugins.otp_hotp two_factor two_factor.plugins.phonenumber
rest_framework_api_key rest_framework_simplejwt rest_framework_simplejwt.token_blacklist knox tastypie
oidc_provider cas_server photologue sortedm2m newsletter django_comments_xtd django_comments actstream star_ratings
hitcount avatar ordered_model polymorphic parler djmoney djmoney.contrib.exchange silk explorer data_browser watson
cities_light post_office django_mailbox push_notifications webpush django_fsm_log django_ca viewflow viewflow.workflow
pgtrigger pghistory
"""
DJANGO = [f"django.contrib.{name}" for name in (
    "admin", "auth", "contenttypes", "sessions", "messages", "staticfiles", "sites", "flatpages", "redirects",
    "postgres",
)]  # fmt: skip


def installed(app):
    """Whether the app's distribution is installed."""
    return importlib.util.find_spec(app.partition(".")[0]) is not None


def configure(url, apps):
    """Set up a project with these apps."""
    oscar = {}
    if any(app.startswith("oscar") for app in apps):
        from oscar import defaults

        oscar = {name: getattr(defaults, name) for name in dir(defaults) if name.isupper()}
    settings.configure(
        **oscar,
        SECRET_KEY="benchmark",
        DATABASES={"default": served("DATABASE_URL", url)},
        INSTALLED_APPS=["compat.structure", *DJANGO, *apps],
        SITE_ID=1, USE_TZ=True, CONSTANCE_BACKEND="constance.backends.database.DatabaseBackend",
        STATIC_URL="static/", MEDIA_ROOT=tempfile.gettempdir(),
        MIDDLEWARE=["allauth.account.middleware.AccountMiddleware"],
        ROOT_URLCONF="django.contrib.auth.urls", WAGTAIL_SITE_NAME="x", WAGTAILADMIN_BASE_URL="http://localhost",
        HAYSTACK_CONNECTIONS={"default": {"ENGINE": "haystack.backends.simple_backend.SimpleEngine"}},
        LANGUAGES=[("en", "English")], LANGUAGE_CODE="en", CMS_CONFIRM_VERSION4=True,
        COMMENTS_APP="django_comments_xtd", Q_CLUSTER={"orm": "default"}, RQ_QUEUES={"default": {"HOST": "localhost"}},
        EXPLORER_CONNECTIONS={"Default": "default"}, EXPLORER_DEFAULT_CONNECTION="default",
        DJANGO_EASY_AUDIT_WATCH_MODEL_EVENTS=False,
        CACHES={name: {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
                for name in ("default", "machina_attachments")},
        AUTHENTICATION_BACKENDS=["django.contrib.auth.backends.ModelBackend"],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField", SILENCED_SYSTEM_CHECKS=[],
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True,
                    "OPTIONS": {"context_processors": [
                        "django.template.context_processors.request", "django.contrib.auth.context_processors.auth",
                        "sekizai.context_processors.sekizai", "cms.context_processors.cms_settings",
                    ]}}],
    )  # fmt: skip
    django.setup()


def main(url):
    """Migrate, verify, and print what was found; return the number of errors and warnings."""
    warnings.simplefilter("ignore")
    apps = [app for app in APPS.split() if installed(app)]
    configure(url, apps)
    from compat.structure import verify

    call_command("migrate", verbosity=0, run_syncdb=True)
    started = time.perf_counter()
    report = verify()
    seconds = time.perf_counter() - started
    packages = sorted({app.partition(".")[0] for app in apps})
    kinds = Counter((issue.severity.value, issue.kind.name) for issue in report.issues)
    print(f"{report.vendor}: {len(packages)} packages, {report.tables} tables, {seconds:.2f} s: {dict(kinds)}")
    bad = [issue for issue in report.issues if issue.counts]
    for issue in bad:
        print(f"  {issue.code} {issue.cause.value} {issue.app} {issue.table}: {issue.message}")
        print(f"    expected {issue.expected!r}, found {issue.actual!r}")
    return len(bad)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(bool(main(sys.argv[1] if len(sys.argv) > 1 else f"sqlite:///{folder}/apps.sqlite3")))
