"""Every address: each room brings its own `urls.py`, mounted at the root."""

from __future__ import annotations

from importlib.util import find_spec

from django.contrib import admin
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LogoutView
from django.templatetags.static import static
from django.urls import URLPattern, URLResolver, include, path
from django.utils.functional import lazy
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView

from .pages import home

admin.site.site_url = None  # the frame of every page has a link to the reports
admin.site.login_form = AuthenticationForm  # readers of reports sign in here, too, and need no place in the admin
ROOMS = ("planning", "forecasting", "energy", "water", "cities")

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home, name="home"),
    # Browsers ask for this on pages that name no icon; lazy, because production finds files only when all is loaded.
    path("favicon.ico", RedirectView.as_view(url=lazy(static, str)("config/icon.svg"))),
    # The admin's own leaves everybody signed in who has no place there.
    path("logout/", LogoutView.as_view(next_page="home"), name="logout"),
    path("admin/", admin.site.urls),
    path("i18n/", include("django.conf.urls.i18n")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    *(path("", include(f"{room}.urls")) for room in ROOMS if find_spec(f"{room}.urls")),
]
handler400 = "planning.problem_json.bad_request"
handler404 = "planning.problem_json.not_found"
handler500 = "planning.problem_json.server_error"
