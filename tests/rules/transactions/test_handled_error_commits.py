"""handled-error-commits: error answers that keep what was written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from corpus.models import LoginAttempt, Station, Tag
from django_dbaudit.finding import Severity
from viewing import line_of, told


def before(request: HttpRequest) -> HttpResponse:
    if not request.POST:
        return HttpResponseBadRequest()
    Tag.objects.create(name="a")
    return HttpResponse()


@transaction.atomic
def raised(request: HttpRequest) -> HttpResponse:
    Tag.objects.create(name="a")
    if not request.POST:
        raise Http404
    return HttpResponse()


@transaction.atomic
def rolled_back(request: HttpRequest) -> HttpResponse:
    Tag.objects.create(name="a")
    if not request.POST:
        transaction.set_rollback(True)
        return HttpResponseBadRequest()
    return HttpResponse()


def attempts(request: HttpRequest) -> HttpResponse:
    LoginAttempt.objects.create(email="a@example.com")
    return HttpResponse(status=403)


def was_missing(request: HttpRequest) -> HttpResponse:
    Station.objects.get_or_create(name="a")
    return HttpResponse(status=409)


def failed_before_it_wrote(request: HttpRequest) -> HttpResponse:
    try:
        Tag.objects.create(name="a")
    except ValueError:
        return HttpResponse(status=400)
    return HttpResponse()


@transaction.atomic
def in_a_block(request: HttpRequest) -> HttpResponse:
    Tag.objects.create(name="a")
    if not request.POST:
        return HttpResponseBadRequest()
    return HttpResponse()


def in_autocommit(request: HttpRequest) -> HttpResponse:
    Tag.objects.create(name="a")
    if not request.POST:
        return HttpResponse(status=500)
    return HttpResponse()


class Answered(APIView):
    def post(self, request: Request) -> Response:
        Tag.objects.create(name="a")
        raise ValidationError


class InItsOwnBlock(APIView):
    @transaction.atomic
    def post(self, request: Request) -> Response:
        Tag.objects.create(name="a")
        raise ValidationError


RIGHT = [before, raised, rolled_back, attempts, was_missing, failed_before_it_wrote, InItsOwnBlock]


@pytest.mark.parametrize("view", RIGHT)
def test_what_keeps_nothing_by_mistake_is_left_alone(view: Callable[..., Any]) -> None:
    assert told("handled-error-commits", view) == ()


def test_an_answer_inside_a_block_is_a_warning_because_it_commits() -> None:
    (finding,) = told("handled-error-commits", in_a_block)
    assert finding.severity is Severity.WARNING
    assert line_of(finding) == "return HttpResponseBadRequest()"


def test_an_answer_in_autocommit_is_an_information() -> None:
    (finding,) = told("handled-error-commits", in_autocommit)
    assert finding.severity is Severity.INFO


def test_atomic_requests_is_committed_too() -> None:
    (finding,) = told("handled-error-commits", in_autocommit, atomic_requests=("default",))
    assert finding.severity is Severity.WARNING


def test_an_exception_that_rest_framework_answers_keeps_what_was_written() -> None:
    (finding,) = told("handled-error-commits", Answered)
    assert line_of(finding) == "raise ValidationError"


def test_under_atomic_requests_rest_framework_rolls_it_back() -> None:
    assert told("handled-error-commits", Answered, atomic_requests=("default",)) == ()
