"""What a webhook is sent: our JSON, or a template of the receiver's own; and its signature.

The signature is that of the Standard Webhooks specification, version 1.0.0
(https://www.standardwebhooks.com): HMAC-SHA-256 over `id.timestamp.body`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from datetime import datetime
from typing import Any

from aggregator.markup.text import cap, clean
from aggregator.model.item import FeedPage, ServedItem
from aggregator.publish.jsonfeed import item_object
from aggregator.publish.template import fill
from aggregator.publish.values import authors, excerpt, line, rfc3339, web_url

CONTENT_TYPE = "application/json"
_LONGEST = 500  # characters of one value: chats refuse long messages
_PREFIX = "whsec_"


def render_items(page: FeedPage, delivery: str) -> bytes:
    """Our own body: the delivery's id, the view, and the items as our JSON Feed has them."""
    about = page.about_url or page.home_url
    said = {
        "id": delivery,
        "type": "items",
        "view": {"id": page.view_id, "title": line(page.view_title), "url": page.home_url},
        "items": [item_object(item, about) for item in page.items],
    }
    return _encoded(said)


def render_template(template: str, page: FeedPage, delivery: str) -> bytes:
    """A template with the values of the page's first item.

    A value is put into a string of the template and cannot leave it: nothing that an item says
    adds a member, and a placeholder in a value is text.
    """
    values = _values(page.items[0], page, delivery)
    return _encoded(fill(template, values))


def signed_headers(
    secret: str | None, delivery: str, at: datetime, body: bytes
) -> list[tuple[str, str]]:
    """The headers that name a delivery, and sign it where there is a secret.

    A secret that begins with `whsec_` holds its key in base64, any other is the key.
    """
    stamp = str(int(at.timestamp()))
    headers = [("webhook-id", delivery), ("webhook-timestamp", stamp)]
    if secret is not None:
        content = f"{delivery}.{stamp}.".encode() + body
        code = base64.b64encode(hmac.new(_key(secret), content, hashlib.sha256).digest()).decode()
        headers.append(("webhook-signature", f"v1,{code}"))
    return headers


def _key(secret: str) -> bytes:
    if secret.startswith(_PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
        except (binascii.Error, ValueError):
            pass
    return secret.encode()


def _values(item: ServedItem, page: FeedPage, delivery: str) -> dict[str, str]:
    found = {
        "title": line(item.title),
        "link": web_url(item.link),
        "text": excerpt(item),
        "source": line(item.source.title),
        "author": ", ".join(authors(item)),
        "published": rfc3339(item.published),
        "image": web_url(item.image),
        "id": item.public_id,
        "view": line(page.view_title),
        "delivery": delivery,
    }
    addresses = ("link", "image", "id")  # a part of one is worth nothing
    return {
        name: (value or "") if name in addresses else cap(value or "", _LONGEST)
        for name, value in found.items()
    }


def _encoded(value: Any) -> bytes:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        return text.encode()
    except UnicodeEncodeError:  # a lone surrogate somewhere
        return clean(text).encode()
