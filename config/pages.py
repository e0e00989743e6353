"""The first address of all, which leads everybody to what is theirs."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from cities.scoping import ADMIN_READERS, cities_of


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """To the admin for whom it shows a city or who makes cities, to the reports for everybody else."""
    person = request.user
    sees_admin = person.is_staff and (person.is_superuser or cities_of(person, ADMIN_READERS).exists())
    return redirect("admin:index" if sees_admin else "reports-index")
