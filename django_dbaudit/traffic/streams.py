"""Responses that are sent in pieces: what their iterators ask the database while they are consumed.

The recording is current whenever the response's own iterator runs, and at no other time. It is over
when the stream is: exhausted, closed because the client hung up, or thrown away.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import Any

from django_dbaudit.traffic.recording import Recording, current, leave


def follow(response: Any, recording: Recording, finish: Callable[[], None]) -> None:
    """Record the rest of a streaming response; ``finish`` is called once it is over, maybe twice."""
    # Django has no public way to be told of the end of a response. What closes the iterator is wrapped and
    # not called by us: it may be meant to be called once.
    closers = response._resource_closers  # noqa: SLF001  # as said
    closers[:] = [partial(_close, each, recording) for each in closers]
    content = response.streaming_content
    if response.is_async:
        response.streaming_content = _pieces_async(content, recording, finish)
    else:
        response.streaming_content = _pieces(content, recording, finish)
    # For a stream that nobody began to read.
    closers.append(finish)


def _close(close: Callable[[], None], recording: Recording) -> None:
    """What the iterator does when it is closed is the stream's still."""
    token = current.set(recording)
    try:
        close()
    finally:
        leave(token, recording)


def _pieces(content: Any, recording: Recording, finish: Callable[[], None]) -> Iterator[Any]:
    iterator = iter(content)
    try:
        while True:
            token = current.set(recording)
            try:
                piece = next(iterator)
            except StopIteration:
                return
            finally:
                leave(token, recording)
            yield piece
    finally:
        finish()


async def _pieces_async(
    content: Any, recording: Recording, finish: Callable[[], None]
) -> AsyncIterator[Any]:
    iterator = aiter(content)
    try:
        while True:
            token = current.set(recording)
            try:
                piece = await anext(iterator)
            except StopAsyncIteration:
                return
            finally:
                leave(token, recording)
            yield piece
    finally:
        finish()
