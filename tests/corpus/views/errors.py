"""Errors that are caught, answered, or left to roll everything back."""

from __future__ import annotations

import logging

import requests
from django.db import DatabaseError, IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest, JsonResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from corpus.models import AuditLog, Bike, Customer, LoginAttempt, Payment, Rental, Station, Tag

logger = logging.getLogger(__name__)


# Caught inside a block.


# POST: protected 1 station tag
@require_POST
@transaction.atomic
def a_savepoint_inside(request: HttpRequest) -> HttpResponse:
    try:
        with transaction.atomic():
            Station.objects.create(name="a")
    except IntegrityError:
        logger.info("there is one")
    Tag.objects.create(name="a")
    return redirect("/")


# POST: protected 1 station
@require_POST
def caught_outside(request: HttpRequest) -> HttpResponse:
    try:
        with transaction.atomic():
            Station.objects.create(name="a")
    except IntegrityError:
        return redirect("/taken")
    return redirect("/")


# POST: protected 1 station tag
@require_POST
@transaction.atomic
def get_or_create_brings_its_own(request: HttpRequest) -> HttpResponse:
    try:
        Station.objects.get_or_create(name="a")
    except IntegrityError:
        logger.info("two at once")
    Tag.objects.create(name="a")
    return redirect("/")


# POST: protected 1 station
@require_POST
@transaction.atomic
def raised_again(request: HttpRequest) -> HttpResponse:
    try:
        Station.objects.create(name="a")
    except IntegrityError as error:
        logger.info("taken")
        raise Http404 from error
    return redirect("/")


# POST: protected 1 station
@require_POST
@transaction.atomic
def rolled_back_by_hand(request: HttpRequest) -> HttpResponse:
    try:
        Station.objects.create(name="a")
    except IntegrityError:
        transaction.set_rollback(True)
        return redirect("/taken")
    return redirect("/")


# POST: protected 1 tag
@require_POST
@transaction.atomic
def only_reads_in_the_try(request: HttpRequest) -> HttpResponse:
    try:
        bike = Bike.objects.get(pk=1)
    except Exception:
        logger.exception("no bike")
        return redirect("/")
    Tag.objects.create(name=bike.frame)
    return redirect("/")


# POST: protected 1 tag
@require_POST
@transaction.atomic
def no_database_error(request: HttpRequest) -> HttpResponse:
    try:
        Tag.objects.create(name=str(int(request.POST["number"])))
    except ValueError:
        logger.info("no number")
    return redirect("/")


# POST: protected 1 station tag
@require_POST
@transaction.atomic
def swallowed(request: HttpRequest) -> HttpResponse:
    try:  # finds: swallowed-database-error
        Station.objects.create(name="a")
    except IntegrityError:
        logger.info("there is one")
    Tag.objects.create(name="a")
    return redirect("/")


# POST: protected 1 tag station
@require_POST
@transaction.atomic
def swallowed_at_the_end(request: HttpRequest) -> HttpResponse:
    Tag.objects.create(name="a")
    try:  # finds: swallowed-database-error
        Station.objects.create(name="a")
    except DatabaseError:
        pass
    return redirect("/")


# POST: protected 1 station
@require_POST
def swallowed_by_everything(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        for name in request.POST.getlist("names"):
            try:  # finds: swallowed-database-error
                Station.objects.create(name=name)
            except Exception:
                logger.exception("not made")
    return redirect("/")


def make_station() -> bool:
    try:  # finds: swallowed-database-error
        Station.objects.create(name="a")
    except IntegrityError:
        return False
    return True


# POST: protected 1 station tag
@require_POST
@transaction.atomic
def swallowed_in_a_helper(request: HttpRequest) -> HttpResponse:
    if make_station():
        Tag.objects.create(name="a")
    return redirect("/")


# Answered, and kept.


# POST: one-unit 1 station
@require_POST
def refused_before(request: HttpRequest) -> HttpResponse:
    if not request.POST:
        return HttpResponseBadRequest()
    Station.objects.create(name="a")
    return redirect("/")


# POST: one-unit 1 loginattempt
@require_POST
def counts_attempts(request: HttpRequest) -> HttpResponse:
    LoginAttempt.objects.create(email="a@example.com")
    if request.POST.get("password") != "secret":
        return HttpResponse(status=403)
    return redirect("/")


# POST: one-unit 1 station
@require_POST
def not_there_yet(request: HttpRequest) -> HttpResponse:
    station, _ = Station.objects.get_or_create(name="a")
    if station.free < 1:
        return HttpResponse(status=409)
    return redirect("/")


# POST: protected 1 rental
@require_POST
@transaction.atomic
def raised_in_a_block(request: HttpRequest) -> HttpResponse:
    rental = Rental.objects.create(bike=Bike.objects.get(), customer=Customer.objects.get())
    if not rental.bike.station.free:
        raise Http404
    return redirect("/")


# POST: protected 1 rental
@require_POST
@transaction.atomic
def answered_in_a_block(request: HttpRequest) -> HttpResponse:
    rental = Rental.objects.create(bike=Bike.objects.get(), customer=Customer.objects.get())
    if not rental.bike.station.free:
        return HttpResponseBadRequest("no room")  # finds: handled-error-commits
    return redirect("/")


# POST: protected 1 rental
@require_POST
@transaction.atomic
def answered_after_a_rollback(request: HttpRequest) -> HttpResponse:
    rental = Rental.objects.create(bike=Bike.objects.get(), customer=Customer.objects.get())
    if not rental.bike.station.free:
        transaction.set_rollback(True)
        return HttpResponseBadRequest("no room")
    return redirect("/")


# POST: one-unit 1 payment
@require_POST
def answered_in_autocommit(request: HttpRequest) -> HttpResponse:
    payment = Payment.objects.create(rental=Rental.objects.get())
    if not payment.amount:
        return JsonResponse({"error": "nothing to pay"}, status=400)  # finds: handled-error-commits
    return redirect("/")


# POST: split 2 rental payment
@require_POST  # finds: split-writes
def answered_when_another_fails(request: HttpRequest) -> HttpResponse:
    try:
        rental = Rental.objects.create(bike=Bike.objects.get(), customer=Customer.objects.get())
        requests.post("https://bank.example", timeout=3)
        Payment.objects.create(rental=rental)
    except requests.RequestException:
        return HttpResponse(status=502)  # finds: handled-error-commits
    return redirect("/")


# POST: protected 1 rental payment
@require_POST
def answered_when_the_block_fails(request: HttpRequest) -> HttpResponse:
    try:
        with transaction.atomic():
            rental = Rental.objects.create(bike=Bike.objects.get(), customer=Customer.objects.get())
            Payment.objects.create(rental=rental)
    except IntegrityError:
        return HttpResponse(status=409)
    return redirect("/")


class NoRoomError(Exception):
    """Raised before anything is written."""


def take(bike: Bike) -> None:
    if bike.station.free < 0:
        raise NoRoomError
    bike.state = "out"
    bike.save()


# POST: one-unit 1 bike
@require_POST
def answered_when_nothing_was_done(request: HttpRequest) -> HttpResponse:
    try:
        take(Bike.objects.get())
    except NoRoomError:
        return HttpResponse(status=409)
    return redirect("/")


# POST: split 2 tag auditlog
@require_POST  # finds: split-writes
def a_log_of_the_failure(request: HttpRequest) -> HttpResponse:
    try:
        Tag.objects.create(name="a")
        requests.get("https://example.com", timeout=3)
    except requests.RequestException:
        AuditLog.objects.create(text="failed")
    return redirect("/")
