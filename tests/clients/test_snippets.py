"""Every JavaScript and Python block of docs/clients.md is a file that a test runs, and its JSON is JSON."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gamebuddy.settings import Settings
from tests.accounts.operations import PASSWORD, arrive
from tests.api import Api
from tests.clients import snippets
from tests.factories import Factory
from tests.post_office import PostOffice

RUN_BY = {
    "session.mjs": "follow.mjs",
    "follow.mjs": "follow.mjs",
    "over-graphql-ws.mjs": "follow.mjs",
    "over-graphql-sse.mjs": "follow.mjs",
    "apollo.mjs": "persisted.mjs",
    "hello.py": "test_snippets.py",
}


def test_every_block_that_can_be_run_is_run() -> None:
    blocks = [snippet for snippet in snippets.read() if snippet.language in {"js", "javascript", "python"}]
    assert {snippet.name for snippet in blocks} == set(RUN_BY)
    for name, runner in RUN_BY.items():
        assert name in (Path(__file__).parent / runner).read_text(encoding="utf-8")


@pytest.mark.parametrize("snippet", [found for found in snippets.read() if found.language == "json"])
def test_json_is_json(snippet: snippets.Snippet) -> None:
    json.loads(snippet.text)


async def test_the_python_program_says_hello(
    settings: Settings, api: Api, post_office: PostOffice, make: Factory, tmp_path: Path
) -> None:
    nika = api.signed_in((await arrive(api, post_office, "nika"))["tokens"]["accessToken"])
    max_ = await make.player("max")
    me = (await nika("{ viewer { user { id } } }"))["viewer"]["user"]["id"]
    await max_.api("mutation($user: ID!) { openDirectChat(input: {userId: $user}) { chat { id } } }", user=me)
    (program,) = [found for found in snippets.read() if found.name == "hello.py"]
    (tmp_path / "hello.py").write_text(program.text, encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(tmp_path / "hello.py"),
        env=os.environ | {"GAMEBUDDY": settings.url, "LOGIN": "nika", "PASSWORD": PASSWORD},
        stdout=subprocess.PIPE,
    )
    printed, _ = await process.communicate()
    assert printed.decode() == "Max MessageSent Hello!\n"
