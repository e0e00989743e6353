from __future__ import annotations

from django.urls import path, re_path

from . import api

_PLANS = "api/v1/cities/<slug:city_key>/plans/"

urlpatterns = [
    path(_PLANS, api.plans, name="api-plans"),
    path(_PLANS + "in-force/", api.plan_in_force, name="api-plan-in-force"),
    path(_PLANS + "<uuid:uid>/", api.plan_detail, name="api-plan"),
    path(_PLANS + "<uuid:uid>/result/", api.plan_result, name="api-plan-result"),
    path(_PLANS + "<uuid:uid>/shortages/", api.plan_shortages, name="api-plan-shortages"),
    path(_PLANS + "<uuid:uid>/summary/", api.plan_summary, name="api-plan-summary"),
    re_path(
        r"^api/v1/cities/(?P<city_key>[-\w]+)/plans/(?P<uid>[0-9a-f-]{36})/(?P<action>approve|publish|withdraw|cancel)/$",
        api.plan_action,
        name="api-plan-action",
    ),
]
