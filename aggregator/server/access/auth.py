"""Who may read what: tokens in a header, in the query, as a password, or proved by a cookie.

`service.token` opens everything; the token of a view opens that view. The cookie holds no token
but a keyed digest of one, so it proves nothing any more once the token was changed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from aggregator.model.settings import Secret, Settings, ViewSettings

COOKIE = "aggregator_access"
# For people: a scheme that browsers do not open a dialog of their own for.
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="aggregator"'}

_PURPOSE = b"aggregator access cookie 1"
_MAX_PROOFS = 16
_COOKIE_SECONDS = 30 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Access:
    """What one request may see."""

    settings: Settings
    tokens: tuple[str, ...] = ()  # as presented
    proofs: tuple[str, ...] = ()  # from the cookie
    bearer: str | None = None  # of the tokens, the one a program sent

    @property
    def trusted(self) -> bool:
        """A service-wide token was given: everything may be seen, private sources too."""
        service = self.settings.service
        return any(self.holds(secret) for secret in (service.token, service.admin_token))

    @property
    def guards(self) -> bool:
        """Whether there is any token to sign in with."""
        return bool(self._secrets())

    @property
    def presents(self) -> bool:
        """Something was given that may be a token, and there are tokens that it could be."""
        return bool(self.tokens or self.proofs) and bool(self._secrets())

    @property
    def unlimited(self) -> bool:
        """Nothing is kept from it, so that it may be told what does not exist.

        Everybody else is asked for a token, for what is unknown as for what is closed: names
        cannot be tried out.
        """
        settings = self.settings
        return self.trusted or not (
            settings.service.token is not None
            or any(view.token is not None for view in settings.views)
            or any(source.private for source in settings.sources)
        )

    @property
    def admitted(self) -> bool:
        """What is not guarded by a token of its own may be seen."""
        return self.settings.service.token is None or self.trusted

    @property
    def may_search(self) -> bool:
        """Whether searches are answered: they cost more than stored feeds.

        Whoever asks a service that only this machine reaches runs it, as far as anybody can tell.
        """
        service = self.settings.service
        guarded = service.token is not None and self.trusted
        open_to_all = service.search == "everywhere" or service.is_local
        return guarded or (open_to_all and self.admitted)

    def may_read(self, view: ViewSettings) -> bool:
        """Whether this view, its feeds and its page, may be read."""
        if view.token is None:
            return self.admitted
        return self.holds(view.token) or self.trusted

    def may_see(self, *, private: bool, views: Iterable[str]) -> bool:
        """Whether a source or an item may be seen that is shown in these views.

        A private one needs a token: the service's, or that of a view which shows it.
        """
        shown = [v for v in self.settings.views if v.id in set(views)]
        if private:
            return self.trusted or any(self.holds(v.token) for v in shown)
        return self.admitted or any(self.may_read(v) for v in shown)

    def holds(self, secret: Secret | None) -> bool:
        """Whether this secret was presented, compared in constant time; an unset one never was."""
        if secret is None or not (value := secret.reveal()):
            return False
        expected = _digest(value)
        proof = _proof(value)
        # No short cut: every comparison is made, whichever matches.
        given = [hmac.compare_digest(_digest(t), expected) for t in self.tokens]
        proved = [hmac.compare_digest(p.encode(), proof.encode()) for p in self.proofs]
        return any(given) or any(proved)

    def bears(self, secret: Secret | None) -> bool:
        """Whether a program showed this secret itself, as its Bearer token.

        No page of another site can make a browser do that, so no form needs a proof then.
        """
        return self.bearer is not None and Access(self.settings, (self.bearer,)).holds(secret)

    def known_tokens(self) -> list[str]:
        """The configured tokens that were presented or proved, for the cookie."""
        return [s.reveal() for s in self._secrets() if self.holds(s)]

    def _secrets(self) -> list[Secret]:
        service = self.settings.service
        secrets = [service.token, service.admin_token, *(v.token for v in self.settings.views)]
        return [s for s in secrets if s is not None and s.reveal()]


def authorized(authorization: str, settings: Settings) -> Access:
    """What the value of an `Authorization` header alone presents."""
    bearer, password = _authorization(authorization)
    return Access(settings, tuple(t for t in (bearer, password) if t), (), bearer)


def access_of(request: Request, settings: Settings) -> Access:
    """What a request presents: `Authorization` Bearer or Basic, `?token=`, our cookie."""
    bearer, password = _authorization(request.headers.get("authorization", ""))
    tokens = [bearer, password, *request.query_params.getlist("token")[:1]]
    return Access(settings, tuple(t for t in tokens if t), _proofs(request), bearer)


def remember(response: Response, access: Access) -> None:
    """Set the cookie that proves every token this request presented or proved."""
    service = access.settings.service
    proofs = dict.fromkeys(_proof(token) for token in access.known_tokens())
    response.set_cookie(
        COOKIE,
        ".".join(list(proofs)[:_MAX_PROOFS]),
        max_age=_COOKIE_SECONDS,
        path=service.root_path or "/",
        secure=service.public_url.startswith("https://"),
        httponly=True,
        samesite="strict",
    )


def forget(response: Response, settings: Settings) -> None:
    """Remove the cookie."""
    response.delete_cookie(COOKIE, path=settings.service.root_path or "/")


def stale_cookie(settings: Settings) -> str:
    """The `Set-Cookie` that takes back a cookie which proves nothing any more."""
    response = Response()
    forget(response, settings)
    return response.headers["set-cookie"]


def _authorization(value: str) -> tuple[str | None, str | None]:
    """The token of Bearer and the password of Basic, of which one is there at most."""
    scheme, _, value = value.partition(" ")
    value = value.strip()
    if scheme.lower() == "bearer":
        return value, None
    if scheme.lower() == "basic":
        try:
            decoded = base64.b64decode(value, validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError, ValueError):
            return None, None
        return None, decoded.partition(":")[2]
    return None, None


def _proofs(request: Request) -> tuple[str, ...]:
    cookie = request.cookies.get(COOKIE, "")
    return tuple(p for p in cookie.split(".")[:_MAX_PROOFS] if p and p.isascii())


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _proof(token: str) -> str:
    return hmac.new(token.encode("utf-8", "surrogatepass"), _PURPOSE, hashlib.sha256).hexdigest()
