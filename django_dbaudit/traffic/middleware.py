"""Records each request; put it first in ``MIDDLEWARE``, so that it sees what the others ask.

One class for WSGI and ASGI. Nothing of ours runs between the request and the view but the look at a
clock, and no hook of Django's is used that would send an asynchronous request through a thread.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from time import perf_counter
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.core.exceptions import ImproperlyConfigured, MiddlewareNotUsed
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from django_dbaudit.conf import get_config
from django_dbaudit.errors import AuditError
from django_dbaudit.traffic import (
    aftermath,
    coroutines,
    loading,
    recorder,
    streams,
    tags,
    told,
    trouble,
    view_names,
)
from django_dbaudit.traffic.recording import Recording, current, leave
from django_dbaudit.traffic.sampling import Sample
from django_dbaudit.traffic.totals import Answer

#: It costs two microseconds to look whether somebody has removed the wrapper from a connection.
REQUESTS_TO_A_LOOK = 50


class TrafficMiddleware:
    """See ``docs``; settings are keys of ``DBAUDIT``, and checked when this is loaded."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        try:
            config = get_config()
        except AuditError as error:
            raise ImproperlyConfigured(str(error)) from None
        if not config.record:
            raise MiddlewareNotUsed("DBAUDIT['RECORD'] is False.")
        recorder.install()
        aftermath.install()
        told.install()
        if config.tag_queries:
            tags.install()
        for callback in loading.callbacks:
            callback(config)
        self.get_response = get_response
        sample = Sample(config.sample_share)
        self._sample = None if sample.takes_all else sample
        self._audience = config.server_timing
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self._sample is not None and not _takes_next(self._sample):
            answer: HttpResponseBase | Awaitable[HttpResponseBase] = self.get_response(request)
            return answer
        if self._is_async:
            return self._answer(request)
        recording = begin(request, False)  # noqa: FBT003  # a keyword costs
        response: HttpResponseBase | None = None
        try:
            response = self.get_response(request)
        finally:
            if recording is not None:
                end(recording, request, response, self._audience)
        return response

    async def _answer(self, request: HttpRequest) -> HttpResponseBase:
        recording = begin(request, True)  # noqa: FBT003  # as above
        response: HttpResponseBase | None = None
        try:
            response = await self.get_response(request)
        finally:
            if recording is not None:
                end(recording, request, response, self._audience)
        return response


def _takes_next(sample: Sample) -> bool:
    try:
        return sample.takes_next()
    except Exception:  # noqa: BLE001  # whatever goes wrong with us, the request goes on
        trouble.tell()
    return False


def begin(request: HttpRequest, is_async: bool) -> Recording | None:
    """Record from here on; None if that cannot be."""
    try:
        parent = current.get()
        recording = Recording()
        if parent is not None:
            recording.parent = _outer(parent)
        recording.request = request
        if is_async:
            recording.task = coroutines.current_task()
        if recording.number % REQUESTS_TO_A_LOOK == 1:
            _look()
        recording.token = current.set(recording)
        recording.began = perf_counter()
    except RecursionError:
        return None
    except Exception:  # noqa: BLE001  # as above
        trouble.tell()
        return None
    return recording


def _outer(parent: Recording) -> Recording | None:
    """What the request is recorded within, if anything, where this was current."""
    # Left behind by a receiver of request_finished that raised before ours was called.
    found = parent.parent if parent.rest_of is not None else parent
    return found if found is not None and found.is_open else None


def _look() -> None:
    try:
        recorder.ensure()
    except RecursionError:
        pass  # a full stack: see trouble.tell
    except Exception:  # noqa: BLE001  # as above
        trouble.tell()


def end(recording: Recording, request: HttpRequest, response: Any, audience: str) -> None:
    """The middleware is left; a stream and the receivers of ``request_finished`` are yet to come."""
    took = perf_counter() - recording.began
    recording.request = None
    try:
        token, recording.token = recording.token, None
        if token is not None:
            leave(token, recording)
        answer = Answer(view_names.name(request), took, 0 if response is None else response.status_code)
        if response is None:
            _deliver(recording, answer)
            return
        if audience != "nobody" and told.may_see(request, audience):
            told.add_header(response, recording, took)
        if response.streaming and getattr(response, "file_to_stream", None) is None:
            recording.default_phase = "streaming"
            streams.follow(response, recording, partial(_finish, recording, answer))
        else:
            _deliver(recording, answer)
        if aftermath.is_awaited():
            aftermath.follow(response, recording, answer)
    except RecursionError:
        pass  # a full stack: see trouble.tell
    except Exception:  # noqa: BLE001  # as above
        trouble.tell()


def _finish(recording: Recording, answer: Answer) -> None:
    """Called when a stream is over, maybe twice."""
    if recording.is_open:
        try:
            _deliver(recording, answer)
        except RecursionError:
            pass  # a full stack: see trouble.tell
        except Exception:  # noqa: BLE001  # as above
            trouble.tell()


def _deliver(recording: Recording, answer: Answer) -> None:
    recording.is_open = False
    recorder.deliver(recording, answer)
    if recording.counted or recording.lineages or recording.units:
        recording.release()
