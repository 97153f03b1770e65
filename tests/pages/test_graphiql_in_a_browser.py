"""GraphiQL in a real Chromium, under the strict Content-Security-Policy, without any outside host."""

import contextlib
import os
import shutil
from collections.abc import AsyncIterator

import httpx
import orjson
import pytest
from playwright.async_api import Page, Route, async_playwright

from gamebuddy.pages import STATIC_FILES, load_tabs
from gamebuddy.settings import Environment, Settings
from tests.accounts.operations import PASSWORD, arrive
from tests.api import Api
from tests.conftest import free_port, running
from tests.factories import Factory
from tests.post_office import PostOffice

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

FOLLOW = "subscription { events { __typename ... on MessageSent { message { text } } } }"
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
        """Open it without the internet: nothing but the server answers."""

        async def only_the_server(route: Route) -> None:
            await (route.continue_() if route.request.url.startswith(url.removesuffix("/graphql")) else route.abort())

        await self.page.route("**/*", only_the_server)
        response = await self.page.goto(url)
        assert response is not None
        assert "script-src 'self';" in response.headers["content-security-policy"]
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

    async def show(self, plugin: str) -> None:
        """Open a plugin at the side."""
        await self.page.get_by_role("button", name=f"Show {plugin}").click()

    async def sign_in(self, login: str, password: str) -> None:
        await self.page.get_by_label("User name or e-mail").fill(login)
        await self.page.get_by_label("Password").fill(password)
        await self.page.get_by_label("Sign in", exact=True).get_by_role("button", name="Sign in").click()

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

    await graphiql.run(FOLLOW)
    await graphiql.shows("CaughtUp")
    await make.send(nika, chat_id, "seen in the browser")
    await graphiql.shows("seen in the browser")

    assert graphiql.complaints == []
    assert graphiql.hosts <= {api.url.removeprefix("http://"), ""}


async def test_tabs_docs_history_and_explorer_work(graphiql: GraphiQL, api: Api, make: Factory) -> None:
    page = graphiql.page
    await graphiql.open(f"{api.url}/graphql")
    tabs = page.get_by_role("tab")
    assert await tabs.count() == len(load_tabs())
    await graphiql.run("query OfThisTest { __typename }")
    await graphiql.shows('"__typename": "Query"')

    await graphiql.show("Documentation Explorer")
    await page.locator(".graphiql-doc-explorer").get_by_text("Mutation").first.click()
    await page.locator(".graphiql-doc-explorer").get_by_text("sendMessage").first.wait_for()

    await graphiql.show("History")
    await page.locator(".graphiql-history").get_by_text("OfThisTest").first.wait_for()

    await graphiql.show("GraphiQL Explorer")
    await page.locator(".docExplorerWrap, .graphiql-explorer-root").get_by_text("teammates").first.wait_for()

    await tabs.nth(1).click()
    await page.locator(".graphiql-query-editor").get_by_text("FindTeammates").first.wait_for()
    await page.get_by_role("button", name="New tab").click()
    assert await tabs.count() == len(load_tabs()) + 1
    assert graphiql.complaints == []


async def test_whoever_signs_in_on_the_page_is_signed_in_in_every_tab(
    graphiql: GraphiQL, api: Api, post_office: PostOffice, make: Factory
) -> None:
    nika = api.signed_in((await arrive(api, post_office, "nika"))["tokens"]["accessToken"])
    max_ = await make.player("max")
    me = (await nika("{ viewer { user { id } } }"))["viewer"]["user"]["id"]
    page = graphiql.page
    await graphiql.open(f"{api.url}/graphql")
    await graphiql.show("Sign in")

    await graphiql.sign_in("nika", "a wrong password")
    await page.get_by_role("status").get_by_text("password").wait_for()
    await graphiql.sign_in("nika", PASSWORD)
    await page.get_by_role("status").get_by_text("Signed in as nika").wait_for()
    await graphiql.run("{ viewer { user { username } } }")
    await graphiql.shows('"username": "nika"')

    await page.get_by_role("tab").nth(3).click()
    await graphiql.run(FOLLOW)
    await graphiql.shows("CaughtUp")
    open_chat = "mutation($user: ID!) { openDirectChat(input: {userId: $user}) { chat { id } } }"
    chat_id = (await max_.api(open_chat, user=me))["openDirectChat"]["chat"]["id"]
    await make.send(max_, chat_id, "hello, nika")
    await graphiql.shows("hello, nika")
    assert graphiql.complaints == []


async def test_in_production_nobody_signs_in_on_the_page(settings: Settings, make: Factory) -> None:
    production = settings.model_copy(update={"port": free_port(), "environment": Environment.PRODUCTION})
    for served, form in ((settings, '"signIn": {"accounts": []}'), (production, '"signIn": null')):
        async with contextlib.AsyncExitStack() as stack:
            if served is production:
                await stack.enter_async_context(running(served))
            async with httpx.AsyncClient() as http:
                page = await http.get(f"{served.url}/graphql", headers={"Accept": "text/html"})
            assert form in page.text
