"""What of an item's page one request may see: for pages and for the API alike."""

from __future__ import annotations

from dataclasses import replace

from aggregator.model.pages import ItemPage, Neighbourhood, Publication, StoryPage
from aggregator.server.access.auth import Access


def visible_part(shown: ItemPage, access: Access) -> ItemPage:
    """An item that may be seen, without what is kept from this request.

    Without a service-wide token that is what private sources say; without a token at all the text
    that was taken from article pages, unless the operator shows it everywhere.
    """
    if not access.trusted:
        shown = _public_part(shown)
    everywhere = access.settings.service.page_text == "everywhere"
    if not (everywhere or access.may_see(private=True, views=shown.views)):
        return _without_page_text(shown)
    return replace(shown, item=shown.full) if shown.full is not None else shown


def visible_story(shown: StoryPage, access: Access) -> StoryPage | None:
    """A story without the items that this request may not see; None where none is left.

    What two texts have apart is shown to whoever may see both, and may read where they are from.
    """
    texts = []
    for published in shown.texts:
        seen = [one for one in published if access.may_see(private=one.private, views=one.views)]
        numbers = {one.number for one in seen}
        if seen:
            texts.append(tuple(_comparable(one, numbers, access) for one in seen))
    return replace(shown, texts=tuple(texts)) if texts else None


def _comparable(one: Publication, seen: set[int], access: Access) -> Publication:
    everywhere = access.settings.service.page_text == "everywhere"
    readable = not one.from_page or everywhere or access.may_see(private=True, views=one.views)
    if one.compared_to is None or (one.compared_to in seen and readable):
        return one
    return replace(one, compared_to=None, changes=(), same=False)


def _without_page_text(shown: ItemPage) -> ItemPage:
    """The page without what was taken from article pages: earlier versions and quotes too."""
    return replace(
        shown,
        full=None,
        revisions=() if shown.full is not None else shown.revisions,
        decisions=tuple(
            replace(d, sides=(), passages=()) if d.from_page else d for d in shown.decisions
        ),
    )


def _public_part(shown: ItemPage) -> ItemPage:
    """The page without what other, private sources say."""
    graph = shown.graph
    return replace(
        shown,
        entries=tuple(e for e in shown.entries if shown.private or not e.private),
        decisions=tuple(d for d in shown.decisions if not d.private),
        graph=Neighbourhood(tuple(n for n in graph.nodes if not n.private), graph.edges)
        if graph
        else None,
    )
