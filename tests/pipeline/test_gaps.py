"""A window that moved past what was seen last: page back, or say so (rows 120, 121, 124)."""

from __future__ import annotations

from tests.origin import Origin, reply
from tests.pipeline.conftest import House, rss


def page(*numbers: int, link: str | None = None, rel: str = "prev-archive") -> bytes:
    """A feed whose channel links to an older page."""
    body = rss(*numbers)
    if link is None:
        return body
    atom = f'<atom:link xmlns:atom="http://www.w3.org/2005/Atom" rel="{rel}" href="{link}"/>'
    return body.replace(b"</description>", b"</description>" + atom.encode(), 1)


def test_when_every_item_is_new_older_pages_are_read_up_to_a_known_item(
    house: House, origin: Origin
) -> None:
    origin.script("/alpha", reply(200, {}, rss(1, 2)), reply(200, {}, page(7, 8, link="/p1")))
    origin.answer("/p1", body=page(5, 6, link="/p2"))
    origin.answer("/p2", body=page(2, 3, 4, link="/p3"))
    origin.answer("/p3", body=page(1))
    house.poll("alpha")
    house.clock.move(hours=1)
    record = house.poll("alpha")[0]
    assert record.new_items == 6
    assert len(house.titles()) == 8
    assert not origin.requests("/p3")
    (gap,) = house.state("alpha").noticed.gaps
    assert (gap.filled, gap.pages) == (True, 2)


def test_without_pages_the_gap_is_recorded_and_the_interval_is_shortened(
    house: House, origin: Origin
) -> None:
    origin.script("/alpha", reply(200, {}, rss(1, 2)), reply(200, {}, rss(50, 51)))
    house.poll("alpha")
    house.clock.move(hours=6)
    house.poll("alpha")
    state = house.state("alpha")
    assert [gap.filled for gap in state.noticed.gaps] == [False]
    assert "overlap" in (state.next_reason, *state.next_detail.split()) or (
        "shared few entries" in state.next_detail
    )


def test_no_more_than_five_pages_are_read(house: House, origin: Origin) -> None:
    origin.script("/alpha", reply(200, {}, rss(1)), reply(200, {}, page(90, link="/p0")))
    for number in range(8):
        origin.answer(f"/p{number}", body=page(80 - number, link=f"/p{number + 1}"))
    house.poll("alpha")
    house.clock.move(hours=1)
    house.poll("alpha")
    assert len([seen for seen in origin.requests() if seen.path.startswith("/p")]) == 5


def test_pages_in_a_circle_and_of_another_origin_are_not_followed(
    house: House, origin: Origin
) -> None:
    with Origin() as elsewhere:
        elsewhere.answer("/p", body=rss(70))
        origin.script(
            "/alpha",
            reply(200, {}, rss(1)),
            reply(200, {}, page(90, link="/a")),
            reply(200, {}, page(99, link=elsewhere.url("/p"))),
        )
        origin.answer("/a", body=page(89, link="/alpha"))
        for _ in range(3):
            house.poll("alpha")
            house.clock.move(hours=1)
        assert len(origin.requests("/a")) == 1
        assert elsewhere.requests() == []


def test_a_new_subscription_reads_older_pages_once(house: House, origin: Origin) -> None:
    first = page(5, 6, link="/p1", rel="next")
    origin.script("/alpha", reply(200, {}, first), reply(200, {}, page(5, 6, 7, link="/p1")))
    origin.answer("/p1", body=page(3, 4))
    house.poll("alpha")
    assert len(house.titles()) == 4
    house.clock.move(hours=1)
    house.poll("alpha")
    assert len(house.titles()) == 5
    assert len(origin.requests("/p1")) == 1
    assert not house.state("alpha").noticed.gaps
