"""What is done after the commit, and what should have been."""

from __future__ import annotations

import functools
import os
import subprocess
import time

import requests
from django.core.cache import cache
from django.core.mail import EmailMessage, mail_admins, send_mail
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from corpus.models import Bike, Note, Payment, Rental, Station, Tag


def tell(name: str) -> None:
    send_mail("made", name, None, ["a@example.com"])


class Task:
    """As queues have them."""

    def delay(self, *args: object) -> None:
        """Queue it."""

    def delay_on_commit(self, *args: object) -> None:
        """Queue it when the transaction is over."""


# POST: protected 1 tag
@require_POST
def after_the_commit(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        tag = Tag.objects.create(name="a")
        transaction.on_commit(functools.partial(tell, tag.name))
    return redirect("/")


# POST: protected 1 tag
@require_POST
def after_the_block(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        tag = Tag.objects.create(name="a")
    tell(tag.name)
    return redirect("/")


# POST: one-unit 1 tag
@require_POST
def after_the_write(request: HttpRequest) -> HttpResponse:
    tag = Tag.objects.create(name="a")
    transaction.on_commit(lambda: tell(tag.name))
    return redirect("/")


# POST: protected 1 tag
@require_POST
@transaction.atomic
def bound_early(request: HttpRequest) -> HttpResponse:
    for name in request.POST.getlist("names"):
        Tag.objects.create(name=name)
        transaction.on_commit(functools.partial(tell, name))
        transaction.on_commit(lambda name=name: tell(name))  # type: ignore[misc]  # what is tried
    return redirect("/")


# POST: protected 1 tag
@require_POST
@transaction.atomic
def bound_late(request: HttpRequest) -> HttpResponse:
    for name in request.POST.getlist("names"):
        Tag.objects.create(name=name)
        transaction.on_commit(lambda: tell(name))  # noqa: B023  # what is tried  # finds: misused-on-commit
    return redirect("/")


# POST: one-unit 1 tag
@require_POST
def too_early(request: HttpRequest) -> HttpResponse:
    transaction.on_commit(lambda: tell("a"))  # finds: misused-on-commit
    Tag.objects.create(name="a")
    return redirect("/")


# POST: one-unit 1 tag
@require_POST
def too_early_on_one_way(request: HttpRequest) -> HttpResponse:
    if request.POST.get("tell"):
        transaction.on_commit(lambda: tell("a"))  # finds: misused-on-commit
    Tag.objects.create(name="a")
    return redirect("/")


# POST: one-unit 1 tag
@require_POST
def early_on_a_way_that_ends(request: HttpRequest) -> HttpResponse:
    if request.POST.get("tell"):
        transaction.on_commit(lambda: tell("a"))
        return redirect("/told")
    Tag.objects.create(name="a")
    return redirect("/")


# POST: protected 1 tag
@require_POST
def on_another_alias(request: HttpRequest) -> HttpResponse:
    with transaction.atomic(using="archive"):
        Tag.objects.using("archive").create(name="a")
        transaction.on_commit(lambda: tell("a"))  # finds: misused-on-commit
    return redirect("/")


# POST: protected 1 tag
@require_POST
def on_the_same_alias(request: HttpRequest) -> HttpResponse:
    with transaction.atomic(using="archive"):
        Tag.objects.using("archive").create(name="a")
        transaction.on_commit(lambda: tell("a"), using="archive")
    return redirect("/")


# Inside the transaction.


# POST: protected 1 tag
@require_POST
@transaction.atomic
def mail_inside(request: HttpRequest) -> HttpResponse:
    Tag.objects.create(name="a")
    send_mail("a", "b", None, ["c@example.com"])  # finds: side-effect-in-transaction
    return redirect("/")


# POST: protected 1 tag
@require_POST
def message_inside(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        Tag.objects.create(name="a")
        EmailMessage("a", "b").send()  # finds: side-effect-in-transaction
    return redirect("/")


# POST: protected 1 tag
@require_POST
@transaction.atomic
def admins_inside(request: HttpRequest) -> HttpResponse:
    Tag.objects.create(name="a")
    mail_admins("a", "b")  # finds: side-effect-in-transaction
    return redirect("/")


# POST: protected 1 tag
@require_POST
@transaction.atomic
def cache_inside(request: HttpRequest) -> HttpResponse:
    Tag.objects.update(name="a")
    cache.delete("tags")  # finds: side-effect-in-transaction
    return redirect("/")


# POST: protected 1 note auditlog
@require_POST
@transaction.atomic
def file_inside(request: HttpRequest) -> HttpResponse:
    note = Note.objects.get(pk=1)
    note.delete()
    os.unlink("photo.jpg")  # finds: side-effect-in-transaction
    return redirect("/")


# POST: one-unit 1 tag
@require_POST
def mail_without_a_transaction(request: HttpRequest) -> HttpResponse:
    Tag.objects.create(name="a")
    send_mail("a", "b", None, ["c@example.com"])
    return redirect("/")


# POST: reads-only 0
@require_POST
@transaction.atomic
def mail_after_a_lock(request: HttpRequest) -> HttpResponse:
    Station.objects.select_for_update().get(name="a")
    send_mail("a", "b", None, ["c@example.com"])
    return redirect("/")


# POST: protected 1 payment
@require_POST
@transaction.atomic
def http_inside(request: HttpRequest) -> HttpResponse:
    Payment.objects.create(rental=Rental.objects.get())
    requests.post("https://bank.example", timeout=30)  # finds: long-work-in-transaction
    return redirect("/")


# POST: one-unit 1 payment
@require_POST
def http_first(request: HttpRequest) -> HttpResponse:
    answer = requests.post("https://bank.example", timeout=30)
    Payment.objects.create(rental=Rental.objects.get(), reference=answer.text)
    return redirect("/")


# POST: protected 1 bike
@require_POST
@transaction.atomic
def sleeps_inside(request: HttpRequest) -> HttpResponse:
    Bike.objects.update(state="free")
    time.sleep(1)  # finds: long-work-in-transaction
    return redirect("/")


# POST: protected 1 bike
@require_POST
@transaction.atomic
def starts_a_program_inside(request: HttpRequest) -> HttpResponse:
    Bike.objects.update(state="free")
    subprocess.run(["true"], check=True)  # finds: long-work-in-transaction
    return redirect("/")


# POST: protected 1 bike
@require_POST
def sleeps_after(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        Bike.objects.update(state="free")
    time.sleep(1)
    return redirect("/")
