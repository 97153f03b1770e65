"""Draws the picture of the README from a server that runs with its demo: docs/graphiql.png."""

import asyncio
import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.async_api import async_playwright

PICTURE = Path("docs/graphiql.png")
WIDTH, HEIGHT, COLOURS = 1440, 900, 128


async def screenshot(url: str) -> bytes:
    """Search for teammates in GraphiQL, and give the page as PNG."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = await browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="dark")
        await page.goto(f"{url}/graphql")
        await page.get_by_role("tab").nth(1).click()
        await page.locator(".graphiql-query-editor").get_by_text("FindTeammates").first.wait_for()
        await page.wait_for_timeout(500)  # the editor tells the page what it holds a moment later
        await page.get_by_role("button", name="Execute query").click()
        await page.locator(".result-window").get_by_text("sharedGames").first.wait_for()
        picture = await page.screenshot()
        await browser.close()
        return picture


if __name__ == "__main__":
    whole = Image.open(io.BytesIO(asyncio.run(screenshot(sys.argv[1] if sys.argv[1:] else "http://127.0.0.1:8000"))))
    whole.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(PICTURE, optimize=True)
