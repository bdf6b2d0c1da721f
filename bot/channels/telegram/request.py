"""python-telegram-bot's requests over aiohttp: an eighth of the work of its own transport, and it says what is certain."""

from functools import lru_cache
from http import HTTPStatus
from typing import Any

import aiohttp
import orjson
from telegram._utils.defaultvalue import DefaultValue
from telegram._utils.types import ODVInput
from telegram.error import NetworkError, TimedOut
from telegram.request import BaseRequest, RequestData
from yarl import URL

TIMEOUT = 15.0  # seconds for an answer
ROOM = 10.0  # seconds for a connection of the pool, a new one included
CONNECT = 5.0  # seconds for a new connection
_TIMEOUT = aiohttp.ClientTimeout(total=TIMEOUT, connect=ROOM, sock_connect=CONNECT)
_JSON = {"Content-Type": "application/json"}


class NotReached(NetworkError):
    """No connection came about: the request was surely not taken."""


class AiohttpRequest(BaseRequest):
    """One pool of connections; `proxy` is the way out, such as http://proxy:3128."""

    def __init__(self, connections: int, proxy: str | None = None) -> None:
        self._connections = connections
        self._proxy = proxy
        self._session: aiohttp.ClientSession | None = None

    @property
    def read_timeout(self) -> float:
        """Seconds for an answer, where nothing else is said."""
        return TIMEOUT

    async def initialize(self) -> None:
        """Open the pool, inside the running event loop."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=60),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=_TIMEOUT,
                skip_auto_headers=("User-Agent", "Accept-Encoding", "Accept"),
                auto_decompress=False,  # nothing else was asked for
                trust_env=False,
            )

    async def shutdown(self) -> None:
        """Close the pool."""
        if self._session:
            await self._session.close()
            self._session = None

    def parse_json_payload(self, payload: bytes) -> Any:  # type: ignore[override]
        """The answer as plain values; what is no JSON leaves in doubt whether the request was taken."""
        try:
            return orjson.loads(payload)
        except ValueError:
            raise NetworkError("the answer is no JSON") from None

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,
        write_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,
        connect_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,
        pool_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        """Send it; raises NotReached, TimedOut and NetworkError, none of which names the URL: it holds the token."""
        data, headers = _body(request_data)
        timeout = _timeout(read_timeout)
        try:
            async with (await self._open()).request(
                method, _url(url), data=data, headers=headers, timeout=timeout, proxy=self._proxy
            ) as response:
                return response.status, await response.read()
        except (aiohttp.ClientError, OSError) as error:
            raise _as_telegrams(error) from None

    async def head_of(self, url: str, most: int) -> bytes:
        """The first bytes of a file, however large it is; raises as `do_request` does, and NetworkError for no file."""
        try:
            async with (await self._open()).get(url, proxy=self._proxy) as response:
                if response.status != HTTPStatus.OK:
                    raise NetworkError(f"no file: {response.status}")
                return await _first(response.content, most)
        except (aiohttp.ClientError, OSError) as error:
            raise _as_telegrams(error) from None

    async def _open(self) -> aiohttp.ClientSession:
        await self.initialize()
        assert self._session is not None
        return self._session


def _as_telegrams(error: aiohttp.ClientError | OSError) -> NetworkError:
    """The error in the library's words, with what is certain about it."""
    match error:
        case (
            aiohttp.ClientConnectorError() | aiohttp.ConnectionTimeoutError() | aiohttp.ClientHttpProxyError()
        ):
            return NotReached(type(error).__name__)
        case TimeoutError():
            return TimedOut()
    return NetworkError(type(error).__name__)


async def _first(content: aiohttp.StreamReader, most: int) -> bytes:
    found = b""
    while len(found) < most and (more := await content.read(most - len(found))):
        found += more
    return found


@lru_cache(maxsize=64)  # a handful of methods
def _url(text: str) -> URL:
    return URL(text)


def _timeout(asked: ODVInput[float]) -> aiohttp.ClientTimeout:
    if asked is None or isinstance(asked, DefaultValue):
        return _TIMEOUT
    return aiohttp.ClientTimeout(total=asked, connect=ROOM, sock_connect=CONNECT)


def _body(given: RequestData | None) -> tuple[Any, dict[str, str]]:
    """JSON, or a multipart form where a file goes along."""
    if given is None:
        return None, {}
    if not given.contains_files:
        return orjson.dumps(given.parameters), _JSON
    form = aiohttp.FormData(quote_fields=False)
    for name, value in given.json_parameters.items():
        form.add_field(name, value)
    for name, (filename, content, media_type) in given.multipart_data.items():
        form.add_field(name, content, filename=filename, content_type=media_type)
    return form, {}
