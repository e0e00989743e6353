"""All settings. A fresh machine gets the demo; HEADGATE_PRODUCTION=1 takes everything from the environment.

docs/operations.md lists every variable read here; a test compares the two.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import dj_database_url
from celery.schedules import crontab
from kombu import Exchange, Queue

from config import openapi
from config.env import Env, refuse

BASE_DIR = Path(__file__).resolve().parent.parent
PRODUCTION = Env().flag("HEADGATE_PRODUCTION")
VAR_DIR = Path(Env().text("HEADGATE_VAR", str(BASE_DIR / "var"))).resolve()
if VAR_DIR.exists() and not VAR_DIR.is_dir():
    refuse("HEADGATE_VAR", str(VAR_DIR), "a directory, or a place for one")
DEMO_ENV = VAR_DIR / "demo.env"
# A demo secret must never leak into production, so the file is not even read there.
env = Env(None if PRODUCTION else DEMO_ENV)

# --- secrets -------------------------------------------------------------------------------------------------
# Without a demo file (before `make` wrote one) a key per process is enough for commands that hand out no session.
SECRET_KEY = env.text("SECRET_KEY", None if PRODUCTION else secrets.token_urlsafe(50))
# Ed25519 private key (raw 32 bytes, base64). Empty in a demo without its file: signing then refuses, because a key
# that dies with the process would make controllers reject every later schedule.
SCHEDULE_SIGNING_KEY = env.key_bytes("SCHEDULE_SIGNING_KEY", 32, None if PRODUCTION else "")
SCHEDULE_SIGNING_KEY_ID = env.text("SCHEDULE_SIGNING_KEY_ID", None if PRODUCTION else "demo")
DEMO_PASSWORD = "" if PRODUCTION else env.text("HEADGATE_DEMO_PASSWORD", "")

# --- web -----------------------------------------------------------------------------------------------------
DEBUG = env.flag("DEBUG")
if PRODUCTION and DEBUG:
    refuse("DEBUG", "1", "0 in production: error pages would show settings and data")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", None if PRODUCTION else ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS", [])
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
LOGIN_URL = "admin:login"
APPEND_SLASH = True

# Rooms stand before the framework's apps so that their templates win.
ROOMS = ["cities", "forecasting", "planning", "energy", "water", "config"]
INSTALLED_APPS = [
    *ROOMS,
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
]
HEADGATE_SECTORS = ["energy.network.SECTOR", "water.network.SECTOR"]
# What the solver gets for one plan; it then hands out the best it has found. Far below the visibility timeout.
HEADGATE_SOLVE_SECONDS = env.integer("HEADGATE_SOLVE_SECONDS", 120, least=1)
# Older forecasts are deleted but for one a day and series (forecasting/pruning.py).
HEADGATE_FORECAST_DAYS = env.integer("HEADGATE_FORECAST_DAYS", 90, least=8)
# What irrigation counts on where rain is uncertain: rain that falls in four years of five, or over many courses of rain
# the mean of what the fields then ask for, or a quantile of it (docs/operations.md).
HEADGATE_IRRIGATION_DEMAND = env.choice(
    "HEADGATE_IRRIGATION_DEMAND", ("dependable", "mean", "0.5", "0.8", "0.95"), "dependable"
)
# Older messages of controllers are deleted. The fields' balance looks 30 days back (water/fields.py).
HEADGATE_MESSAGE_DAYS = env.integer("HEADGATE_MESSAGE_DAYS", 180, least=32)

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "planning.problem_json.length_required",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "config.middleware.admin_time_zone",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "config.middleware.content_security_policy",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# --- database ------------------------------------------------------------------------------------------------
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# IMMEDIATE takes the write lock at BEGIN: with SQLite's default, two read-modify-write transactions end in
# "database is locked" although both would have waited.
SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;PRAGMA mmap_size=134217728;"
    "PRAGMA journal_size_limit=27103364;PRAGMA cache_size=2000;",
}


def database(url: str) -> dict[str, Any]:
    """The Django settings of one database URL."""
    try:
        found: dict[str, Any] = dict(dj_database_url.parse(url, conn_max_age=60, conn_health_checks=True))
    except ValueError:
        refuse("DATABASE_URL", "(hidden)", "a URL such as postgres://user:password@host:5432/name")
    if found["ENGINE"] == "django.db.backends.sqlite3":
        found["OPTIONS"] = SQLITE_OPTIONS
    return found


DATABASES = {"default": database(env.text("DATABASE_URL", None if PRODUCTION else f"sqlite:///{VAR_DIR}/headgate.db"))}

# --- time and words ------------------------------------------------------------------------------------------
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = True
# Of commands, and of requests that ask for neither language.
LANGUAGE_CODE = env.choice("HEADGATE_LANGUAGE", ("en", "zh-hant"), "en")
LANGUAGES = [("en", "English"), ("zh-hant", "繁體中文")]
FORMAT_MODULE_PATH = "config.formats"

# --- static files --------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
# The demo serves files from the rooms themselves; production runs collectstatic once per release.
STATIC_ROOT = VAR_DIR / "static" if PRODUCTION else None
WHITENOISE_USE_FINDERS = not PRODUCTION
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
MEDIA_ROOT = VAR_DIR / "media"

# --- security ------------------------------------------------------------------------------------------------
# Scripts and frames only from ourselves and never inline; styles may be inline because drawn SVG charts carry them.
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = PRODUCTION
SECURE_HSTS_SECONDS = env.integer("HSTS_SECONDS", 31_536_000) if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = PRODUCTION
# Production stands behind a TLS proxy that must overwrite this header (docs/operations.md).
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PRODUCTION else None
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000  # an admin page of 100 rows with inlines posts more than Django's 1000

# --- API -----------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    # No browsable API: it needs inline scripts, which the policy above forbids.
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.LimitOffsetPagination",
    "PAGE_SIZE": 100,
    "EXCEPTION_HANDLER": "planning.problem_json.handler",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Headgate",
    "DESCRIPTION": openapi.DESCRIPTION,
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "config.openapi.add_errors",
    ],
}

# --- Celery: the row is the truth, the queue only a hint -----------------------------------------------------
# The embedded Valkey of `manage.py serve` listens on a socket in var/: no port, no password.
VALKEY_SOCKET = VAR_DIR / "valkey.sock"
REDIS_URL = env.text("REDIS_URL", None if PRODUCTION else "")
if REDIS_URL and not REDIS_URL.startswith(("redis://", "rediss://", "redis+socket://")):
    refuse("REDIS_URL", "(hidden)", "a URL such as redis://host:6379/0, rediss://… or redis+socket:///path")
CELERY_BROKER_URL = REDIS_URL or f"redis+socket://{VALKEY_SOCKET}"


def caches(url: str) -> dict[str, Any]:
    """Counts that all web processes share, in the queue's server; without one each process counts for itself."""
    if not url:
        memory = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 20_000}}
        return {"default": memory}
    # Kombu's way of writing a socket, and its word for the number of a database.
    place = url.replace("redis+socket://", "unix://").replace("virtual_host=", "db=")
    # A server that does not answer may not keep a controller from its schedule.
    patience = {"socket_connect_timeout": 0.5, "socket_timeout": 0.5}
    redis = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": place, "KEY_PREFIX": "headgate"}
    return {"default": {**redis, "OPTIONS": patience}}


CACHES = caches(REDIS_URL)
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
# Leases decide whether a run is alive; a broken connection must not end a solve that is going well.
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 30
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# For ever: after Celery's own hundred tries, 45 minutes, workers end and stay away when the queue is back.
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
# The solver's own limit comes first, then the soft one (the best plan so far is kept), then the hard one.
CELERY_TASK_SOFT_TIME_LIMIT = HEADGATE_SOLVE_SECONDS + 60
CELERY_TASK_TIME_LIMIT = HEADGATE_SOLVE_SECONDS + 120
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # Shorter than a task, it would be delivered again while it runs.
    "visibility_timeout": max(3600, 2 * CELERY_TASK_TIME_LIMIT),
    "health_check_interval": 30,
    "socket_keepalive": True,
    "retry_on_timeout": True,
}
# Each with its own exchange and key: without them both would take the default's, and a solve would land in both.
CELERY_TASK_QUEUES = [Queue(name, Exchange(name), routing_key=name) for name in ("light", "solve")]
CELERY_TASK_DEFAULT_QUEUE = "light"
CELERY_TASK_ROUTES = {"planning.tasks.solve_*": {"queue": "solve"}}
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "celerybeat-schedule")
# `expires` keeps a worker that was away from working through a pile of stale ticks.
CELERY_BEAT_SCHEDULE = {
    "dispatch": {"task": "planning.tasks.dispatch", "schedule": 15.0, "options": {"expires": 15}},
    "reap": {"task": "planning.tasks.reap", "schedule": 15.0, "options": {"expires": 15}},
    "expire": {"task": "planning.tasks.expire", "schedule": 60.0, "options": {"expires": 60}},
    "regular": {"task": "planning.tasks.propose_regularly", "schedule": 300.0, "options": {"expires": 300}},
    "refresh": {"task": "forecasting.tasks.refresh", "schedule": crontab(minute=5), "options": {"expires": 3000}},
    "score": {"task": "forecasting.tasks.score", "schedule": crontab(minute=15), "options": {"expires": 3000}},
    "prune": {"task": "forecasting.tasks.prune", "schedule": crontab(hour=19, minute=35), "options": {"expires": 3600}},
    # Hourly, for every city's day ends at its own midnight; the other 23 runs find nothing to store.
    "balance": {"task": "water.tasks.balance", "schedule": crontab(minute=20), "options": {"expires": 3000}},
    "watch": {"task": "water.tasks.watch_controllers", "schedule": 60.0, "options": {"expires": 60}},
    "prune messages": {
        "task": "water.tasks.prune",
        "schedule": crontab(hour=19, minute=50),
        "options": {"expires": 3600},
    },
}

# --- logging: UTC, one line per event ------------------------------------------------------------------------
LOG_LEVEL = env.choice("LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR"), "INFO")
LOG_FORMAT = env.choice("LOG_FORMAT", ("plain", "json"), "json" if PRODUCTION else "plain")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {"()": "config.logs.PlainFormatter"},
        "json": {"()": "config.logs.JsonFormatter"},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"handlers": ["stderr"], "level": LOG_LEVEL, "propagate": False},
        # Said of each room, for a Celery worker sets the root's level to its own `-l`.
        **{room: {"level": LOG_LEVEL} for room in ROOMS},
        # Pyomo and matplotlib log every small thing they do.
        "pyomo": {"level": "WARNING"},
        "matplotlib": {"level": "WARNING"},
    },
}
