"""One test for each of the eight bugs. What the service says, and how it fails, is up to the fixture `mockd`."""

from __future__ import annotations

from datetime import datetime

from client import ChatError

CHAT = "POST /v1/chat/completions"


def screen_of(chat):
    """Ask something. Returns what is on the screen in the end: the words, and the error if there was one."""
    screen = ""
    try:
        for word in chat.ask("Say hello"):
            screen += word
    except ChatError as error:
        screen += f" [{error}]"
    return screen


def message(word):
    return {"data": {"choices": [{"delta": {"content": word}}]}}


def seconds_between(first, second):
    times = [datetime.fromisoformat(request["time"]) for request in (first, second)]
    return (times[1] - times[0]).total_seconds()


def test_a_character_in_two_chunks(mockd, chat):
    place = len('data: {"choices":[{"delta":{"content":"Gr') + 1  # an ü has two bytes
    mockd.sse(CHAT, [message("Grüße"), "[DONE]"], faults=[f"stall ms=10 after {place} bytes"])
    assert screen_of(chat) == "Grüße"


def test_an_error_in_the_middle(mockd, chat):
    error = {"data": {"error": {"message": "out of memory"}}}
    mockd.sse(CHAT, [message("Hello"), error, "[DONE]"])
    screen = screen_of(chat)
    assert "[out of memory]" in screen


def test_an_answer_that_is_cut_off(mockd, chat):
    mockd.llm("Hello there, friend", faults=["end after 3 events"])
    screen = screen_of(chat)
    assert "[the answer has no end]" in screen


def test_a_stream_that_falls_silent(mockd, chat):
    mockd.llm("Hello there, friend", faults=["stall ms=5000 after 3 events"])
    chat.patience = 0.2
    screen = screen_of(chat)
    assert "[nothing came for 0.2 s]" in screen


def test_a_refusal_that_stays(mockd, chat):
    mockd.llm(faults=["status 400"])
    assert screen_of(chat) == " [refused with 400]"
    mockd.verify(CHAT, times=1)


def test_a_server_that_is_busy(mockd, chat):
    mockd.llm("Hello", faults=["status 429 retryAfter=1 for requests 1"])
    assert screen_of(chat) == "Hello"
    first, second = mockd.requests()
    pause = seconds_between(first, second)
    assert pause > 0.9


def test_a_connection_that_breaks(mockd, chat):
    mockd.llm("Hello there, friend", faults=["reset after 3 events for requests 1"])
    assert screen_of(chat) == "Hello there, [the connection broke]"


def test_a_notice_while_it_was_away(mockd, chat):
    notices = mockd.sse("/notices", ["one", "two"], resume={"enabled": True}, retry=10)
    notices.hold_at(2)
    coming = chat.notices()
    assert [next(coming), next(coming)] == ["one", "two"]
    stream = notices.wait_for_stream()
    stream.cut("reset")
    stream.wait_ended()
    notices.push("three")
    assert next(coming) == "three"
