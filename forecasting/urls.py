from __future__ import annotations

from django.urls import path

from . import api

_SERIES = "api/v1/cities/<slug:city_key>/series/"

urlpatterns = [
    path(_SERIES, api.series_list, name="api-series-list"),
    path(_SERIES + "<slug:key>/", api.series_detail, name="api-series"),
    path(_SERIES + "<slug:key>/history/", api.series_history, name="api-series-history"),
    path(_SERIES + "<slug:key>/forecast/", api.series_forecast, name="api-series-forecast"),
    path(_SERIES + "<slug:key>/scores/", api.series_scores, name="api-series-scores"),
]
