from __future__ import annotations

from django.urls import path

from . import api

_DEVICE = "api/device/v1/"

urlpatterns = [
    path(_DEVICE + "schedule", api.schedule, name="device-schedule"),
    path(_DEVICE + "acks", api.acks, name="device-acks"),
    path(_DEVICE + "telemetry", api.telemetry, name="device-telemetry"),
    path(_DEVICE + "hello", api.hello, name="device-hello"),
    path(_DEVICE + "keys", api.keys, name="device-keys"),
]
