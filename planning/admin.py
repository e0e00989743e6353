"""Plans as the utility engineer sees them: what is in force, what waits for a decision, why, and the next step.

Plans are immutable: nothing is edited here, and every step goes through `planning.lifecycle`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import F, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed, JsonResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from cities.models import City
from cities.scoping import ReadOnlyAdmin, city_or_404

from . import lifecycle
from .admin_pages import (
    AT_WORK,
    STEP_WORDS,
    may_act,
    money_words,
    page_context,
    panels,
    part_name,
    status_words,
    work_of,
)
from .charts import VERSION, charts_of, draw, part_charts
from .kernel import casefile
from .models import Plan, PlanPart
from .outbox import send_plan
from .snapshot import read
from .words import retold

View = Callable[..., HttpResponseBase]
CONFIRMED = ("publish", "withdraw")
"""Steps that reach machines and people outside, and are asked about once more."""
A_DAY = 24 * 3600
LIST = "admin:planning_plan_changelist"
PAGE = "admin:planning_plan_change"


@admin.register(Plan)
class PlanAdmin(ReadOnlyAdmin, admin.ModelAdmin):
    # When it was asked for is part of its name.
    list_display = (
        "name",
        "city",
        "state_and_progress",
        "local_start",
        "solver",
        "money",
        "shortages",
        "synthetic_badge",
    )
    list_filter = ("city", "state")
    list_select_related = ("city",)
    list_per_page = 25
    actions = None
    search_fields = ("reason",)
    ordering = ("-requested_at",)

    class Media:
        css: ClassVar[dict[str, tuple[str, ...]]] = {"all": ("planning/plan.css",)}
        js = ("planning/progress.js",)

    # --- the list ---
    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        mine: QuerySet[Any] = super().get_queryset(request)
        # A result has a megabyte; a list of plans needs none of it but who is short.
        light = mine.select_related("city").defer("snapshot", "result")
        counted: QuerySet[Any] = light.annotate(short=F("result__shortages"))
        return counted

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        shown = {"panels": panels(request.user), "title": _("Plans")}
        return super().changelist_view(request, {**(extra_context or {}), **shown})

    @admin.display(description=gettext_lazy("plan"), ordering="requested_at")
    def name(self, plan: Plan) -> str:
        return str(plan)

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def state_and_progress(self, plan: Plan) -> SafeString:
        badge = format_html('<span class="state state-{}">{}</span>', plan.state, plan.get_state_display())
        if plan.state not in AT_WORK:
            return badge
        work = work_of(plan)
        return format_html("{} {} % · {}", badge, work.percent, work.text)

    @admin.display(description=gettext_lazy("start"), ordering="start")
    def local_start(self, plan: Plan) -> str:
        return f"{timezone.localtime(plan.start, plan.city.zone):%m-%d %H:%M}"

    @admin.display(description=gettext_lazy("solver"))
    def solver(self, plan: Plan) -> str:
        return status_words(plan.status)

    @admin.display(description=gettext_lazy("cost"), ordering="cost")
    def money(self, plan: Plan) -> str:
        return money_words(plan)

    @admin.display(description=gettext_lazy("shortages"))
    def shortages(self, plan: Any) -> str:
        return "" if plan.short is None else str(len(plan.short))

    @admin.display(description=gettext_lazy("data"))
    def synthetic_badge(self, plan: Plan) -> SafeString | str:
        if not plan.synthetic:
            return ""
        return format_html('<span class="state state-synthetic">{}</span>', _("synthetic"))

    # --- the page of a plan ---
    def get_urls(self) -> list[URLPattern]:
        pages: list[tuple[str, View, str]] = [
            ("new/", self.new_view, "new"),
            ("<int:pk>/do/<slug:step>/", self.step_view, "step"),
            ("<int:pk>/progress.json", self.progress_view, "progress"),
            ("<int:pk>/charts/<slug:key>.svg", self.chart_view, "chart"),
            ("<int:pk>/result.json", self.result_view, "result"),
            ("<int:pk>/case.yaml", self.case_view, "case"),
        ]
        own = [
            path(place, self.admin_site.admin_view(view), name=f"planning_plan_{name}") for place, view, name in pages
        ]
        return own + super().get_urls()

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method != "GET":
            return HttpResponseNotAllowed(["GET"])
        plan = self._plan(request, object_id)
        return self._page(request, "plan/page.html", plan, page_context(plan, request.user))

    def new_view(self, request: HttpRequest) -> HttpResponse:
        """Asks for a plan: POST with city, reason and publish."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        city = city_or_404(request.user, request.POST.get("city", ""))
        return self._request(request, city, request.POST.get("reason", "")[:300], "publish" in request.POST)

    def step_view(self, request: HttpRequest, pk: int, step: str) -> HttpResponse:
        """One step in a plan's life: POST, and for what reaches the outside a second POST that says so."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        plan = self._plan(request, pk)
        if step not in STEP_WORDS:
            raise Http404
        if not may_act(request.user, plan.city):
            raise PermissionDenied
        if step == "again":
            return self._request(request, plan.city, _("again, after %(plan)s") % {"plan": plan}, False)
        note = request.POST.get("note", "").strip()
        misses_note = step == "withdraw" and not note
        if step in CONFIRMED and ("confirmed" not in request.POST or misses_note):
            return self._ask(request, plan, step, misses_note and "confirmed" in request.POST)
        self._take(request, plan, step, note)
        return redirect(PAGE, plan.pk)

    def progress_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return JsonResponse(work_of(self._plan(request, pk)).as_json(), headers={"Cache-Control": "no-store"})

    def chart_view(self, request: HttpRequest, pk: int, key: str) -> HttpResponse:
        """A chart as an image; a solved plan never changes, so the browser may keep it."""
        plan = self._plan(request, pk)
        tag = f'"{plan.uid}-{key}-{get_language()}-{VERSION}"'
        headers = {"ETag": tag, "Cache-Control": f"private, max-age={A_DAY}"}
        if request.headers.get("If-None-Match") == tag and plan.result:
            return HttpResponse(status=304, headers=headers)
        chart = charts_of(plan).get(key)
        if chart is None:
            raise Http404
        return HttpResponse(draw(chart, plan), content_type="image/svg+xml", headers=headers)

    def result_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        plan = self._plan(request, pk)
        if plan.result is None:
            raise Http404
        return JsonResponse(plan.result, headers=_attachment(f"{plan}.json"))

    def case_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The inputs as a case file that `manage.py solve` runs."""
        plan = self._plan(request, pk)
        if plan.snapshot is None:
            raise Http404
        text = casefile.write(*read(plan.snapshot))
        return HttpResponse(text, content_type="application/yaml", headers=_attachment(f"{plan}.yaml"))

    def _plan(self, request: HttpRequest, pk: int | str) -> Plan:
        """Raises Http404 for an unknown plan and for one of a foreign city alike."""
        plan: Plan | None = self.get_object(request, str(pk))
        if plan is None:
            raise Http404
        return plan

    def _request(self, request: HttpRequest, city: City, reason: str, publish: bool) -> HttpResponse:
        if not may_act(request.user, city):
            raise PermissionDenied
        plan = lifecycle.request(city, by=_person(request), reason=reason, publish=publish)
        send_plan(plan)
        return redirect(PAGE, plan.pk)

    def _take(self, request: HttpRequest, plan: Plan, step: str, note: str) -> None:
        by = _person(request)
        steps: dict[str, Callable[[], None]] = {
            "cancel": lambda: lifecycle.cancel(plan, by),
            "approve": lambda: lifecycle.approve(plan, by, note),
            "publish": lambda: lifecycle.publish(plan, by),
            "withdraw": lambda: lifecycle.withdraw(plan, by, note),
        }
        try:
            steps[step]()
        except lifecycle.Refused as refusal:
            messages.error(request, str(refusal))
        else:
            plan.refresh_from_db()
            words = {"plan": plan, "state": plan.get_state_display()}
            is_stopping = step == "cancel" and plan.state == Plan.State.SOLVING
            told = _("Stopping %(plan)s.") if is_stopping else _("Done: %(plan)s is now %(state)s.")
            messages.success(request, told % words)

    def _ask(self, request: HttpRequest, plan: Plan, step: str, misses_note: bool) -> HttpResponse:
        before = Plan.objects.filter(city=plan.city, state=Plan.State.PUBLISHED).exclude(pk=plan.pk).first()
        context = {"step": step, "word": STEP_WORDS[step], "before": before, "misses_note": misses_note}
        return self._page(request, "plan/confirm.html", plan, context)

    def _page(self, request: HttpRequest, template: str, plan: Plan, context: dict[str, Any]) -> HttpResponse:
        shared = {**self.admin_site.each_context(request), "opts": self.opts, "media": self.media, "plan": plan}
        return TemplateResponse(request, f"admin/planning/{template}", {**shared, "title": str(plan), **context})


@admin.register(PlanPart)
class PlanPartAdmin(ReadOnlyAdmin, admin.ModelAdmin):
    """The page of one piece of follow-up work; plans lead to it."""

    city_path = "plan__city"

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False  # a list of parts of all plans would help nobody

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return redirect(LIST)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        part: PlanPart | None = self.get_object(request, object_id)
        if part is None:
            raise Http404
        name = part_name(part)
        # Drawn here; the names in it are escaped there.
        drawn = [(chart.title, mark_safe(draw(chart, part.plan))) for chart in part_charts(part)]
        shared = {**self.admin_site.each_context(request), "opts": Plan._meta, "title": f"{part.plan} · {name}"}
        context = {**shared, "part": part, "name": name, "failure": retold(part.failure), "charts": drawn}
        return TemplateResponse(request, "admin/planning/planpart/page.html", context)


def _person(request: HttpRequest) -> Any:
    return request.user


def _attachment(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}
