"""The test in the picture, as users write one."""
# mypy: allow-untyped-defs

import pytest


def test_half_a_reply(mockd, client):
    chat = mockd.llm(text="Hello there, friend")
    chat.hold_at(3)  # events: the role and two words

    client.ask(mockd.url)
    stream = chat.wait_for_stream()
    stream.wait_held()
    assert client.read(words=2) == "Hello there,"

    stream.step()  # one more event, and no other
    assert client.read(words=1) == " friend"

    stream.cut("reset")
    with pytest.raises(ConnectionResetError):
        client.read(words=1)
