from __future__ import annotations

from django.urls import path, re_path

from . import api, report_pages

_PLANS = "api/v1/cities/<slug:city_key>/plans/"
_CITY = "reports/<slug:city_key>/"

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
    path("reports/", report_pages.index, name="reports-index"),
    path(_CITY, report_pages.city_reports, name="reports"),
    path(_CITY + "utility/", report_pages.utility_in_force, name="utility"),
    *report_pages.file_paths(_CITY + "utility", report_pages.utility_in_force_file, "utility"),
    path(_CITY + "plans/<uuid:uid>/", report_pages.utility_of_plan, name="utility-plan"),
    *report_pages.file_paths(_CITY + "plans/<uuid:uid>", report_pages.utility_of_plan_file, "utility-plan"),
]
