"""The fake Telegram by hand: `python -m tests.fakes.telegram`, then open the page it names."""

import argparse
import asyncio
import contextlib

from tests.fakes.telegram.calls import Call
from tests.fakes.telegram.limits import Limits
from tests.fakes.telegram.page import Page
from tests.fakes.telegram.server import TOKEN, FakeTelegram


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.fakes.telegram", description=__doc__)
    parser.add_argument("--port", type=int, default=8081)
    parser.add_argument("--token", default=TOKEN)
    parser.add_argument(
        "--webhook", default="", metavar="URL", help="bring updates there instead of being polled"
    )
    parser.add_argument("--secret", default="", help="what the webhook is to be told in its header")
    parser.add_argument("--lifted", action="store_true", help="no limits on floods")
    return parser.parse_args()


def settings_for(telegram: FakeTelegram) -> list[str]:
    """The lines of a shell or of .env with which the service meets this Telegram by polling."""
    return [
        f"DOLUONG_TELEGRAM_TOKEN={telegram.token}",
        f"DOLUONG_TELEGRAM_BASE_URL={telegram.address}",
        "DOLUONG_TELEGRAM_MODE=polling",
        "DOLUONG_INSTANCE=trial",
        "DOLUONG_DEMO=true",
    ]


async def _serve(given: argparse.Namespace) -> None:
    limits = Limits.lifted() if given.lifted else Limits()
    telegram = FakeTelegram(token=given.token, port=given.port, limits=limits)
    async with telegram:
        Page(telegram)
        if given.webhook:
            values = {"url": given.webhook, "secret_token": given.secret}
            telegram.methods.run(Call("setwebhook", values))
        print(f"Chat with the assistant at {telegram.address}/ once it runs with:\n")
        print(*settings_for(telegram), sep="\n", flush=True)
        await asyncio.Event().wait()


def main() -> None:
    """Serve until interrupted."""
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(_arguments()))


if __name__ == "__main__":
    main()
