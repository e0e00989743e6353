"""What every admin page has around it."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

pytestmark = pytest.mark.django_db


def test_the_frame_names_the_product_and_offers_the_other_language(client: Client) -> None:
    client.force_login(User.objects.create_superuser("root"))
    page = client.get("/admin/", HTTP_ACCEPT_LANGUAGE="en").content.decode()
    assert "<title>Site administration | Headgate</title>" in page
    assert "繁體中文" in page
    client.post("/i18n/setlang/", {"language": "zh-hant", "next": "/admin/"})
    page = client.get("/admin/").content.decode()
    assert 'lang="zh-hant"' in page
    assert ">English</button>" in page
