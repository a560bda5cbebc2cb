"""Pieces that are meant to be, and said to be."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views import View
from django.views.decorators.http import require_POST

from corpus.models import AuditLog, Counter, Station, Tag


# POST: split 2 auditlog tag
@require_POST
def said_at_the_write(request: HttpRequest) -> HttpResponse:
    AuditLog.objects.create(text="a")  # dbaudit: ok TXN001 because the log has to stay
    Tag.objects.create(name="a")
    return redirect("/")


# POST: split 3 auditlog tag station
@require_POST  # finds: split-writes
def said_of_one_of_three(request: HttpRequest) -> HttpResponse:
    AuditLog.objects.create(text="a")  # dbaudit: ok split-writes because the log has to stay
    Tag.objects.create(name="a")
    Station.objects.create(name="a")
    return redirect("/")


# POST: split 2 tag station
@require_POST
def said_at_the_view(
    request: HttpRequest,
) -> HttpResponse:  # dbaudit: ok TXN001 because the tag is of use alone
    Tag.objects.create(name="a")
    Station.objects.create(name="a")
    return redirect("/")


# POST: mixed 2 tag station
@require_POST
def said_at_the_block(request: HttpRequest) -> HttpResponse:
    # dbaudit: ok TXN003 because the tag is of use alone
    with transaction.atomic():
        Tag.objects.create(name="a")
    Station.objects.create(name="a")
    return redirect("/")


# POST: split 2 tag station
class SaidAtTheClass(View):  # dbaudit: ok TXN001 because the tag is of use alone
    def post(self, request: HttpRequest) -> HttpResponse:
        Tag.objects.create(name="a")
        Station.objects.create(name="a")
        return redirect("/")


# POST: split 2 tag station
@require_POST  # finds: split-writes
def said_without_a_reason(request: HttpRequest) -> HttpResponse:
    Tag.objects.create(name="a")  # dbaudit: ok TXN001  # finds: unreasoned-suppression
    Station.objects.create(name="a")
    return redirect("/")


# POST: split 2 tag station
@require_POST  # finds: split-writes
def said_of_another_rule(request: HttpRequest) -> HttpResponse:
    Tag.objects.create(name="a")  # dbaudit: ok TXN002 because the tag is of use alone
    Station.objects.create(name="a")
    return redirect("/")


# POST: one-unit 1 counter
@require_POST
def said_of_a_sum(request: HttpRequest) -> HttpResponse:
    counter = Counter.objects.get(name="visits")
    counter.value += 1
    counter.save()  # dbaudit: ok lost-update because about right is right enough
    return redirect("/")
