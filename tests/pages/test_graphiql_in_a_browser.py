"""GraphiQL in a real Chromium, under the strict Content-Security-Policy, without any outside host."""

import os
import shutil
from collections.abc import AsyncIterator

import orjson
import pytest
from playwright.async_api import Page, async_playwright

from gamebuddy.pages import STATIC_FILES
from tests.api import Api
from tests.factories import Factory

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
IN_CI = bool(os.environ.get("CI"))
# Without these it asks hosts outside for updates, which has nothing to do with the page.
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--no-first-run"]  # fmt: skip

pytestmark = [
    pytest.mark.skipif(not CHROMIUM and not IN_CI, reason="Chromium is not installed"),
    pytest.mark.skipif(
        not (STATIC_FILES / "graphiql").is_dir() and not IN_CI,
        reason="GraphiQL is not built: npm was missing at set-up",
    ),
]

PASTE = """(field, text) => {
  const data = new DataTransfer();
  data.setData('text/plain', text);
  field.dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true}));
}"""


class GraphiQL:
    """The page, as hands and eyes use it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.hosts: set[str] = set()
        page.on("console", lambda message: self.complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.hosts.add(request.url.split("/")[2] if "//" in request.url else ""))

    async def open(self, url: str) -> None:
        await self.page.goto(url)
        await self.page.get_by_role("button", name="Execute query").wait_for()

    async def type_into(self, editor: str, text: str) -> None:
        field = self.page.locator(f"{editor} .monaco-editor").locator("textarea, .native-edit-context").first
        await field.focus()
        await self.page.keyboard.press("Control+a")
        await self.page.keyboard.press("Delete")
        await field.evaluate(PASTE, text)  # keys would meet the editor's closing brackets

    async def set_headers(self, headers: dict[str, str]) -> None:
        await self.page.get_by_role("button", name="Headers", exact=True).click()
        await self.type_into(".graphiql-editor-tool .graphiql-editor:not(.hidden)", orjson.dumps(headers).decode())

    async def run(self, query: str) -> None:
        await self.type_into(".graphiql-query-editor", query)
        # The editor tells the page what it holds a moment after the last key.
        await self.page.wait_for_timeout(400)
        await self.page.get_by_role("button", name="Execute query").click()

    async def shows(self, text: str) -> None:
        await self.page.wait_for_function(
            "text => document.querySelector('.result-window .view-lines')?.innerText.replaceAll('\\u00a0', ' ')"
            ".replaceAll('\\n', '').includes(text)",
            arg=text,
        )


@pytest.fixture
async def graphiql() -> AsyncIterator[GraphiQL]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield GraphiQL(await browser.new_page())
        await browser.close()


async def test_a_query_runs_and_a_subscription_shows_an_event(graphiql: GraphiQL, api: Api, make: Factory) -> None:
    nika, max_ = await make.player("nika"), await make.player("max")
    chat_id = await make.direct_chat(nika, max_)
    await graphiql.open(f"{api.url}/graphql")

    await graphiql.set_headers({"Authorization": f"Bearer {max_.api.token}"})
    await graphiql.run("{ viewer { user { username } } }")
    await graphiql.shows('"username": "max"')

    await graphiql.run("subscription { events { __typename ... on MessageSent { message { text } } } }")
    await graphiql.shows("CaughtUp")
    await make.send(nika, chat_id, "seen in the browser")
    await graphiql.shows("seen in the browser")

    assert graphiql.complaints == []
    assert graphiql.hosts <= {api.url.removeprefix("http://"), ""}
