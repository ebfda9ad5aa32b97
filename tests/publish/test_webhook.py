"""Bodies of webhooks: templates that nothing an item says can leave, and signatures."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.publish.template import PLACEHOLDERS, BadTemplate, fill, parse_template
from aggregator.publish.webhook import render_items, render_template, signed_headers
from tests.publish.samples import full_item, item, page

PAGE = page(full_item(1), item(2))
TEMPLATE = '{"a": ["{title}", {"b": "x {html:title} y"}], "n": 1, "{title}": null}'


@given(st.text())
def test_whatever_a_value_says_the_template_keeps_its_shape(said: str) -> None:
    filled = fill(TEMPLATE, dict.fromkeys(PLACEHOLDERS, said))
    escaped = said.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert filled == {"a": [said, {"b": f"x {escaped} y"}], "n": 1, "{title}": None}


@pytest.mark.parametrize(
    "text", ["{title}", '{"a": "{titel}"}', '["{html:secret}"]', "[" * 100_000]
)
def test_a_template_that_is_no_json_or_names_what_there_is_not_is_refused(text: str) -> None:
    with pytest.raises(BadTemplate):
        parse_template(text)


def test_braces_that_name_nothing_stay() -> None:
    assert fill('["{}", "{ title }", "{0}"]', {}) == ["{}", "{ title }", "{0}"]


def test_a_long_headline_is_cut_and_an_address_is_not() -> None:
    link = "https://a.example/" + "x" * 600
    long = item(1, title="word " * 300, link=link)
    body = render_template('["{title}", "{link}"]', page(long), "d")
    title, sent = json.loads(body)
    assert len(title) <= 500
    assert sent == link


def test_our_own_body_has_the_items_as_json_feed_has_them() -> None:
    said = json.loads(render_items(PAGE, "delivery 1"))
    assert (said["id"], said["type"]) == ("delivery 1", "items")
    assert [one["id"] for one in said["items"]] == [one.public_id for one in PAGE.items]


def test_the_signature_is_that_of_standard_webhooks() -> None:
    """The example of the specification's reference libraries."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    at = datetime.fromtimestamp(1614265330, UTC)
    headers = dict(
        signed_headers(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}')
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert headers["webhook-timestamp"] == "1614265330"
    assert "webhook-signature" not in dict(signed_headers(None, "m", at, b""))
