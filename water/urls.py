from __future__ import annotations

from django.urls import path

from planning.report_pages import file_paths

from . import api, pages

_DEVICE = "api/device/v1/"

urlpatterns = [
    path(_DEVICE + "schedule", api.schedule, name="device-schedule"),
    path(_DEVICE + "acks", api.acks, name="device-acks"),
    path(_DEVICE + "telemetry", api.telemetry, name="device-telemetry"),
    path(_DEVICE + "hello", api.hello, name="device-hello"),
    path(_DEVICE + "keys", api.keys, name="device-keys"),
    path("turns/<str:token>/", pages.turns, name="turns"),
    path("turns/<str:token>/calendar.ics", pages.calendar, name="turns-calendar"),
    path("reports/<slug:city_key>/fab/<slug:key>/", pages.fab_report, name="fab-report"),
    *file_paths("reports/<slug:city_key>/fab/<slug:key>", pages.fab_file, "fab-report"),
]
