"""The example of the guide with Playwright: a page in Chromium shows half a reply, because a test holds the stream."""

from __future__ import annotations

import pytest

from tests.browser.conftest import FLAGS
from tests.plugin.conftest import Suite
from tests.programs import program

pytestmark = pytest.mark.browser

PAGE = """
from playwright.sync_api import expect, sync_playwright

REPEATS = 1

HTML = '''<!doctype html><p id="reply"></p><script>
const url = new URLSearchParams(location.search).get("api") + "/v1/chat/completions";
const body = JSON.stringify({model: "m", stream: true, messages: [{role: "user", content: "Say hello"}]});

async function read() {
  const reply = document.getElementById("reply");
  const response = await fetch(url, {method: "POST", body});
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  reply.textContent = "";
  for (let rest = "";;) {
    const {done, value} = await reader.read();
    if (done) return;
    const blocks = (rest + value).split("\\\\n\\\\n");
    rest = blocks.pop();
    for (const block of blocks) {
      if (block === "data: [DONE]") return;
      reply.textContent += JSON.parse(block.slice(6)).choices[0]?.delta.content ?? "";
    }
  }
}

read().catch(read);
</script>'''


@pytest.fixture(scope="session")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=EXECUTABLE, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser):
    page = browser.new_page()
    page.set_default_timeout(30_000)
    yield page
    page.close()


@pytest.mark.parametrize("time", range(REPEATS))
def test_ui_shows_half_a_reply(mockd, page, time):
    app = mockd.response("/app", HTML, headers={"Content-Type": "text/html; charset=utf-8"})
    chat = mockd.llm(text="Hello there, friend", preset="openai")
    chat.hold_at(3)
    page.goto(f"{app.url}?api={mockd.url}")
    stream = chat.wait_for_stream()
    stream.wait_reached(3)
    expect(page.get_by_text("Hello there,", exact=True)).to_be_visible(timeout=30_000)
    stream.cut("reset")
    mockd.verify("POST /v1/chat/completions", times=2)
    expect(page.get_by_text("Hello there, friend", exact=True)).to_be_visible(timeout=30_000)
"""


def run(suite: Suite, repeats: int, *arguments: str, plugins: tuple[str, ...] = ()) -> None:
    chromium = program("chromium", "chromium-browser")
    text = PAGE.replace("EXECUTABLE", repr(chromium)).replace("FLAGS", repr(FLAGS))
    ran = suite(text.replace("REPEATS = 1", f"REPEATS = {repeats}"), *arguments, plugins=plugins)
    assert ran.summary() == {"passed": repeats}, ran.text


def test_half_a_reply(suite: Suite) -> None:
    run(suite, 2)


@pytest.mark.repeats
def test_half_a_reply_again_and_again(suite: Suite) -> None:
    run(suite, 100, "-n", "2", plugins=("xdist",))
