"""The page of `node/ai-sdk-react` in Chromium: python in_chromium.py ESBUILD URL TASK prints what the model answered.

ESBUILD is the program that makes a script of the page.
"""

import shutil
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlencode

import tools
from playwright.sync_api import sync_playwright

PAGE = Path(__file__).parents[1] / "node" / "ai-sdk-react" / "page.jsx"
HTML = '<!doctype html><meta charset="utf-8"><title>Chat</title><body><script type="module" src="page.js"></script>'


def serve(folder):
    """Serve a folder on a free port, until this process ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def main(esbuild, url, task):
    bundled = ["--bundle", "--format=esm", "--jsx=automatic", "--log-level=warning", "--outfile=page.js"]
    subprocess.run([esbuild, str(PAGE), *bundled], check=True)
    Path("index.html").write_text(HTML, encoding="utf-8")
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        for tool in (tools.find_station, tools.read_rain):
            page.expose_function(tool.__name__, tool)
        page.goto(f"{serve('.')}/?{urlencode({'url': url, 'task': task})}")
        page.click("#ask")
        while page.wait_for_selector("#again, #done").get_attribute("id") == "again":
            page.click("#again")
        print(page.text_content("#done"))
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
