"""The shape of the YAML: every setting, its kind and what it means.

Nothing has a default here: what is left out, or has an empty value, takes the default of the
dataclass in `aggregator.model.settings` that the group becomes. Descriptions go into the JSON
Schema, so they are written for the person at the editor.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)

from aggregator.config.values.addresses import (
    BaseUrl,
    Contact,
    DatabaseUrl,
    Listen,
    Networks,
    Origins,
    Ports,
    Proxy,
    Url,
)
from aggregator.config.values.credentials import HeaderName, HeaderValue, SecretText
from aggregator.config.values.durations import Poll, Price, Size, duration
from aggregator.config.values.kinds import wrong
from aggregator.config.values.plain import (
    Flag,
    Id,
    Ids,
    Language,
    Languages,
    OptionalText,
    Tag,
    Tags,
    Text,
    Texts,
    Words,
    Zone,
    choice,
    number,
    whole,
)
from aggregator.config.values.queries import Condition, Prefix, Query, Template

_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


class Group(BaseModel):
    """A group of settings: unknown names are mistakes, an empty value means the default."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    def given(self) -> dict[str, Any]:
        """The settings that have a value here."""
        return {
            name: value
            for name in self.model_fields_set
            if (value := getattr(self, name)) is not None
        }


class Webhook(Group):
    """Who is told of what is new by a POST of JSON."""

    url: Url = Field(description="Where to; often it holds a secret: better `${NAME}`.")
    secret: SecretText | None = Field(
        None, description="Signs each delivery, as Standard Webhooks has it."
    )
    template: Template | None = Field(
        None,
        description="JSON that is sent instead of ours, one message an item; `{title}`, `{link}` "
        "and others stand for its values.",
    )
    headers: dict[HeaderName, HeaderValue] | None = Field(
        None, description="Further request headers, sent only to this address."
    )


class Service(Group):
    """Who we are and where we listen."""

    name: Text | None = Field(None, description="Name of this service, shown on its pages.")
    base_url: BaseUrl | None = Field(
        None,
        description="Public address of this service; every link is made from it. A path in it is "
        "the sub-path behind a reverse proxy. Without it, links lead to `listen`.",
    )
    listen: Listen | None = Field(
        None,
        description="Address and port to listen on: `127.0.0.1:8080`, `[::1]:8080`, `:8080` for "
        "every interface.",
    )
    contact: Contact | None = Field(
        None,
        description="Web or mail address that publishers can write to; stands in the User-Agent.",
    )
    token: SecretText | None = Field(
        None, description="When set, it guards everything but the health endpoints."
    )
    admin_token: SecretText | None = Field(
        None, description="Guards what changes something (merge, split, poll now)."
    )
    trusted_proxies: Words | None = Field(
        None, description="Addresses of reverse proxies whose `X-Forwarded-*` headers count."
    )
    cors: Origins | None = Field(
        None,
        description="Origins whose pages may read feeds by script (CORS), as "
        "`https://reader.example`; `*` for any.",
    )
    websub: Flag | None = Field(
        None,
        description="Subscribe at the WebSub hubs that feeds name, so that news is pushed here. "
        "They must reach `base_url`, which must be https.",
    )
    hub: Flag | None = Field(
        None,
        description="Be a WebSub hub for the merged feeds: whoever subscribes is told of news at "
        "once.",
    )
    health_webhooks: list[Webhook] | None = Field(
        None,
        description="Who is told, as webhooks of a view are, of what stands in "
        "`/feeds/_health.atom`.",
    )
    page_text: Annotated[str, choice("guarded", "everywhere")] | None = Field(
        None,
        description="Where text taken from article pages is shown: behind a token, or everywhere.",
    )
    search: Annotated[str, choice("guarded", "everywhere")] | None = Field(
        None,
        description="Who may search and make feeds of queries: whoever has `token`, or everybody.",
    )
    pictures: Annotated[str, choice("off", "direct", "proxy")] | None = Field(
        None,
        description="Pictures in lists of items: none; loaded by the reader's browser from the "
        "publishers, who then see that somebody reads; or fetched by this service, so that they "
        "do not (`proxy`: on the pages of items too).",
    )
    timezone: Zone | None = Field(
        None, description="The time zone of the times on pages, such as `Europe/Berlin`."
    )
    max_document: Size | None = Field(
        None,
        description="The largest merged feed; beyond it the bodies of its oldest items become "
        "summaries.",
    )
    max_entries: Annotated[int, whole(100, 5000)] | None = Field(
        None, description="Most items of a merged feed; what does not fit is on the next page."
    )
    log_format: Annotated[str, choice("text", "json")] | None = Field(
        None, description="How the log is written: for people or one JSON object a line."
    )
    log_level: Annotated[str, choice("debug", "info", "warning", "error")] | None = Field(
        None, description="The least serious messages that are logged."
    )


class Storage(Group):
    """Where items are kept and for how long their text stays."""

    url: DatabaseUrl | None = Field(
        None,
        description="`sqlite:///path` (relative to the working directory; four slashes for an "
        "absolute path) or `postgresql://user:password@host/name`.",
    )
    keep_text: Annotated[timedelta, duration(_DAY)] | None = Field(
        None,
        description="How long the text of items is kept that no source lists and that did not "
        "change since. Their keys are kept for good.",
    )
    max_items_per_source: Annotated[int, whole(100, 1_000_000)] | None = Field(
        None, description="Items that stay beyond `keep_text` because their source lists them."
    )
    keep_poll_log: Annotated[timedelta, duration(_HOUR)] | None = Field(
        None, description="How long the log of polls is kept."
    )
    keep_raw: Size | None = Field(
        None,
        description="Room for documents of feeds as they came, compressed, so that `aggregator "
        "replay` can read them again. The last one of each source goes first, then the newest.",
    )


class Polling(Group):
    """How often sources are asked, and how many at once."""

    interval: Annotated[timedelta, duration(_MINUTE, 30 * _DAY)] | None = Field(
        None,
        description="Time between polls of a source with about four items a day. Adaptive polling "
        "asks busier sources more often and quieter ones less often.",
    )
    price: Price | None = Field(
        None,
        description="How eager adaptive polling is: `frugal` doubles `interval`, `fresh` "
        "halves it; a duration takes the place of these words.",
    )
    min_interval: Annotated[timedelta, duration(_MINUTE, _DAY)] | None = Field(
        None, description="Adaptive polling never asks more often than this."
    )
    max_interval: Annotated[timedelta, duration(_MINUTE, 30 * _DAY)] | None = Field(
        None, description="Adaptive polling never waits longer than this."
    )
    min_refresh: Annotated[timedelta, duration(most=_DAY)] | None = Field(
        None, description="Least time between two refreshes of one source, whoever asks for them."
    )
    host_gap: Annotated[timedelta, duration(most=_HOUR)] | None = Field(
        None, description="Least time between two requests for feeds to one host."
    )
    article_gap: Annotated[timedelta, duration(most=_HOUR)] | None = Field(
        None, description="Least time between two requests for articles to one host."
    )
    concurrency: Annotated[int, whole(1, 1000)] | None = Field(
        None, description="Requests in flight at once."
    )
    requests_per_second: Annotated[float, number(0.01, 1000)] | None = Field(
        None, description="Requests begun in one second, over all hosts."
    )
    requests_per_hour: Annotated[int, whole(1, 10_000_000)] | None = Field(
        None, description="Requests in one hour, over all hosts; it can only slow things down."
    )
    lease: Annotated[timedelta, duration(timedelta(seconds=30), _HOUR)] | None = Field(
        None, description="How long a worker may keep a source to itself before another takes it."
    )
    trust_clock: Flag | None = Field(
        None,
        description="Poll also while the machine's clock is earlier than what is stored or than "
        "this version of the program.",
    )


class Fetching(Group):
    """How we behave on the wire and what we refuse."""

    product: Text | None = Field(
        None,
        description="Name in the User-Agent and in robots.txt; without it `service.name`.",
    )
    allow_networks: Networks | None = Field(
        None,
        description="Private networks that may be contacted, also for links found in articles.",
    )
    allow_ports: Ports | None = Field(
        None, description="Further ports that links found in content may use."
    )
    proxy: Proxy | None = Field(None, description="HTTP proxy for every request.")
    proxy_trusted: Flag | None = Field(
        None,
        description="The proxy itself refuses private addresses; without this, `proxy` is refused, "
        "since we cannot see what it dials.",
    )
    ca_bundle: OptionalText = Field(
        None,
        description="File or folder of certificates to trust besides the usual ones, "
        "relative to the configuration file.",
    )
    timeout: Annotated[timedelta, duration(timedelta(seconds=1), timedelta(minutes=10))] | None = (
        Field(None, description="Longest time one request may take, redirects included.")
    )
    max_wire_bytes: Size | None = Field(None, description="Largest body as it comes over the wire.")
    max_body_bytes: Size | None = Field(None, description="Largest body after decompression.")
    parse_timeout: (
        Annotated[timedelta, duration(timedelta(seconds=1), timedelta(minutes=10))] | None
    ) = Field(None, description="Longest time to read one document.")
    parse_workers: Annotated[int, whole(1, 64)] | None = Field(
        None, description="Processes that read documents."
    )
    parse_memory: Size | None = Field(None, description="Address space of each of these processes.")
    max_items: Annotated[int, whole(1, 100_000)] | None = Field(
        None, description="Entries read from one document; the rest is left out."
    )


class Follow(Group):
    """Policy for a publisher's own related links."""

    enabled: Flag | None = Field(None, description="Follow related links; `yes` in a group.")
    depth: Annotated[int, whole(1, 5)] | None = Field(
        None, description="How far from an item of the feed: 1 follows its own related links."
    )
    links_per_article: Annotated[int, whole(1, 100)] | None = Field(
        None, description="Related links followed from one article."
    )
    pages_per_host_and_day: Annotated[int, whole(1, 10_000)] | None = Field(
        None, description="Articles fetched from one host in a day."
    )
    hosts: Annotated[str, choice("same_site", "listed", "any")] | None = Field(
        None, description="Where related links may lead: the same site, `listed` sites, anywhere."
    )
    listed: Words | None = Field(
        None, description="Registrable domains that count with `hosts: listed`."
    )
    max_age: Annotated[timedelta, duration(_HOUR)] | None = Field(
        None, description="Articles older than this are not kept."
    )
    languages: Languages | None = Field(None, description="Languages to keep; all without it.")
    tags: Tags | None = Field(None, description="Tags for what is found, besides the source's own.")


def _follow_word(value: Any) -> Any:
    """`follow_related: on` is short for a group with only `enabled` in it."""
    return {"enabled": value} if isinstance(value, str) else value


FollowRelated = Annotated[
    Follow,
    BeforeValidator(_follow_word),
]


class Related(Group):
    """CSS and headings for a site where structure is not enough to find related links."""

    select: Texts | None = Field(
        None, description="CSS selectors of the elements that hold related links."
    )
    exclude: Texts | None = Field(
        None, description="CSS selectors of elements whose links do not count."
    )
    headings: Texts | None = Field(
        None, description="Further headings under which related links stand."
    )


_SHARE = number(0, 1)


class Copies(Group):
    """When two texts are one text. Shares are from 0 to 1."""

    containment: Annotated[float, _SHARE] | None = Field(
        None, description="Share of the shorter text that must stand in the longer one."
    )
    containment_young: Annotated[float, _SHARE] | None = Field(
        None,
        description="The same while little is known of a source's boilerplate; never "
        "less than `containment`.",
    )
    containment_stated: Annotated[float, _SHARE] | None = Field(
        None, description="The same where a page names the other's address as its own."
    )
    young_source: Annotated[int, whole(0, 1_000_000)] | None = Field(
        None, description="Items of a source until then."
    )
    min_shingles: Annotated[int, whole(1, 10_000)] | None = Field(
        None, description="Shingles (runs of four words) below which a text is too short to judge."
    )
    numeric_vocabulary: Annotated[float, _SHARE] | None = Field(
        None, description="Share of figures from which figures and dates must agree."
    )
    numbers_agreement: Annotated[float, _SHARE] | None = Field(
        None, description="Share of the figures that must agree then."
    )
    sure: Annotated[float, _SHARE] | None = Field(
        None, description="Containment from which figures matter in short texts only."
    )
    short_text: Annotated[int, whole(0, 100_000)] | None = Field(
        None, description="Words below which a text is short."
    )
    tabular: Annotated[float, _SHARE] | None = Field(
        None, description="Share of figures from which they matter in any text."
    )
    one_sided: Annotated[float, _SHARE] | None = Field(
        None,
        description="How much less than `containment` is enough where one text only cut or added.",
    )
    replaced: Annotated[float, _SHARE] | None = Field(
        None, description="Share of the shorter text with other words in its place until then."
    )
    numbers_replaced: Annotated[float, _SHARE] | None = Field(
        None,
        description="Share of the figures that must agree in any text where some stand against "
        "others in one place.",
    )
    numbers_corrected: Annotated[float, _SHARE] | None = Field(
        None, description="The same where hardly anything but a figure was replaced."
    )
    sure_numbers: Annotated[float, _SHARE] | None = Field(
        None, description="The same in a table where that is so in several places."
    )
    own_opening: Annotated[int, whole(1, 100_000)] | None = Field(
        None,
        description="Words before the first shared ones, on both sides, that make them two texts.",
    )
    sure_opening: Annotated[float, _SHARE] | None = Field(
        None, description="Containment from which another opening does not matter."
    )
    excerpt: Annotated[int, whole(1, 100_000)] | None = Field(
        None,
        description="How many times longer a text is that merely contains another in its middle.",
    )
    window: Annotated[timedelta, duration(_HOUR)] | None = Field(
        None, description="How far back copies are looked for."
    )
    max_postings: Annotated[int, whole(1, 100_000)] | None = Field(
        None, description="Items that may share a fingerprint before it says nothing."
    )
    max_candidates: Annotated[int, whole(1, 10_000)] | None = Field(
        None, description="Items that a new one is compared with in full."
    )
    boilerplate_groups: Annotated[int, whole(1, 10_000)] | None = Field(
        None,
        description="A paragraph that recurs in so many items of a source is boilerplate and not "
        "compared; copies count once.",
    )
    resent: Annotated[float, _SHARE] | None = Field(
        None,
        description="Share of the longer text that two items of one source with one title must "
        "share to be one text sent again.",
    )
    correction_window: Annotated[timedelta, duration()] | None = Field(
        None,
        description="Time in which an entry sent again under a new id, with the same title and the "
        "old id gone, is an update; later only if it hardly changed.",
    )


class Stories(Group):
    """When two items are about one event. Nothing is hidden by it."""

    window: Annotated[timedelta, duration(_HOUR)] | None = Field(
        None, description="Longest time between two items of one event."
    )
    similarity: Annotated[float, _SHARE] | None = Field(
        None, description="Least likeness of an item and the nearest item of the story, 0 to 1."
    )
    similarity_figures: Annotated[float, _SHARE] | None = Field(
        None, description="The same between two texts full of differing figures."
    )
    names: Annotated[float, number(1, 10)] | None = Field(
        None, description="How much more a name weighs than another word, in scripts with capitals."
    )
    cohesion: Annotated[float, _SHARE] | None = Field(
        None, description="Share of `similarity` that the story's members must have on average."
    )
    similarity_few: Annotated[float, _SHARE] | None = Field(
        None, description="The same where no more than `rare_shared` things are shared."
    )
    rare_shared: Annotated[int, whole(0, 100)] | None = Field(
        None, description="Rare things (names, words; a person is one) that two items must share."
    )
    surprise: Annotated[float, number(0, 100)] | None = Field(
        None,
        description="How much rarer together these must be than one item of all, as a logarithm.",
    )
    rare: Annotated[float, _SHARE] | None = Field(
        None, description="Share of the items of other stories up to which a term is rare."
    )
    max_terms: Annotated[int, whole(1, 10_000)] | None = Field(
        None, description="Terms that are kept of an item, the heaviest first."
    )
    opening: Annotated[int, whole(0, 100_000)] | None = Field(
        None, description="Words of the text that are read, after the headline."
    )
    max_items: Annotated[int, whole(2, 100_000)] | None = Field(
        None, description="Items from which on a story takes no more: it is a topic."
    )
    template: Annotated[float, _SHARE] | None = Field(
        None,
        description="Containment from which differing figures mean one template, not one event.",
    )


class Dedup(Group):
    """When items are one: as one address, as one text, as one event."""

    copies: Copies | None = Field(None, description="When two texts are one text.")
    stories: Stories | None = Field(None, description="When two items are about one event.")
    tracking_parameters: Words | None = Field(
        None,
        description="Further URL parameters that never tell pages apart; `*` is any run of "
        "characters.",
    )


class Auth(Group):
    """Basic authentication (RFC 7617)."""

    username: SecretText = Field(description="User name.")
    password: SecretText = Field(description="Password; better `${NAME}` than in the file.")


class Shared(Group):
    """What `defaults` and a source have in common."""

    tags: Tags | None = Field(None, description="Words by which views select.")
    poll: Poll | None = Field(
        None, description="When to poll: `adaptive`, a duration, or `cron: …`."
    )
    allow_private: Flag | None = Field(
        None, description="The feed may be at a private address, such as one in your own network."
    )
    private: Flag | None = Field(
        None,
        description="Its items appear only in views that need a token. On by default for a source "
        "with `auth`, secret headers or a secret in its address.",
    )
    timezone: Zone | None = Field(
        None, description="Zone of dates that come without one, such as `Europe/Berlin`."
    )
    language: Language | None = Field(None, description="Language of items that do not say theirs.")
    follow_related: FollowRelated | None = Field(
        None, description="Follow the publisher's related links: `on`, `off` or a group."
    )
    full_text: Annotated[str, choice("never", "when_truncated", "always")] | None = Field(
        None, description="Whether an item's own page is read for its text."
    )
    related: Related | None = Field(
        None, description="Where related links stand on this publisher's pages."
    )


class Defaults(Shared):
    """What every source takes that does not say otherwise."""


class Source(Shared):
    """One feed. It needs only `id` and `url`."""

    id: Id = Field(description="Short name; the history of the source hangs on it.")
    url: Url = Field(description="Address of the feed.")
    title: OptionalText = Field(None, description="Title, instead of the feed's own.")
    enabled: Flag | None = Field(None, description="Whether the source is polled.")
    headers: dict[HeaderName, HeaderValue] | None = Field(
        None, description="Further request headers, sent only to the address of the feed."
    )
    auth: Auth | None = Field(
        None, description="User name and password, sent only to the address of the feed."
    )
    user_agent: OptionalText = Field(
        None,
        description="User-Agent of requests for this feed, sent only to the address of the feed. "
        "Everything else, robots.txt included, is asked for under the usual one.",
    )
    validators: Flag | None = Field(
        None,
        description="Whether the feed is asked for conditionally (`If-None-Match`, "
        "`If-Modified-Since`). `off` is for a server that answers 304 wrongly; it doubles "
        "`polling.min_interval` for the source.",
    )
    aggregator: Flag | None = Field(
        None, description="It republishes others: of copies, another one leads."
    )
    preference: Annotated[int, whole(-1000, 1000)] | None = Field(
        None, description="Of copies, the one from the source with the highest number leads."
    )
    paywalled: Flag | None = Field(
        None,
        description="Its articles are behind a paywall: of copies, a readable one leads. "
        "Articles whose own page says so need no flag.",
    )


class Rule(Group):
    """What is done with items of a view for which a condition holds: `keep`, `drop` or `set`."""

    keep: Condition | None = Field(None, description="Items that stay, whatever a later rule says.")
    drop: Condition | None = Field(None, description="Items that are not shown, whenever seen.")
    set: Condition | None = Field(
        None, description="Items that are shown otherwise: with `tag`, without `strip_prefix`."
    )
    tag: Tag | None = Field(None, description="A category that such items get.")
    strip_prefix: Prefix | None = Field(
        None, description="What their titles begin with and are shown without."
    )
    past: Flag | None = Field(
        None, description="Whether it sets what was seen before the rule came into force, too."
    )

    @model_validator(mode="after")
    def _one_verb(self) -> Rule:
        given = self.given()
        if len(given.keys() & {"keep", "drop", "set"}) != 1:
            raise wrong("a rule has one of “keep”, “drop” and “set”")
        changes = given.keys() & {"tag", "strip_prefix"}
        if "set" in given and not changes:
            raise wrong("“set” needs “tag” or “strip_prefix”")
        if "set" not in given and given.keys() & {"tag", "strip_prefix", "past"}:
            raise wrong("“tag”, “strip_prefix” and “past” are for “set”")
        return self


class View(Group):
    """A merged feed. Without `tags` and `sources` it selects every source."""

    id: Id = Field(description="Short name; stands in the feed's address.")
    title: OptionalText = Field(None, description="Title of the merged feed; the id without it.")
    description: OptionalText = Field(None, description="One sentence about the merged feed.")
    limit: Annotated[int, whole(100, 2000)] | None = Field(
        None,
        description="Items on the newest page; all of the last 48 hours are there in any case.",
    )
    tags: Tags | None = Field(None, description="Sources with one of these tags.")
    sources: Ids | None = Field(None, description="These sources, besides those by tag.")
    exclude_tags: Tags | None = Field(None, description="But none with one of these tags.")
    exclude_sources: Ids | None = Field(None, description="But none of these sources.")
    query: Query | None = Field(
        None, description="What has to hold besides, in the language of selections."
    )
    rules: list[Rule] | None = Field(
        None, description="What is done with the items; of those that keep or drop the first."
    )
    webhooks: list[Webhook] | None = Field(
        None, description="Who is told of what is new by a POST of JSON."
    )
    token: SecretText | None = Field(
        None, description="Needed to read the view; private sources appear only with one."
    )
    mode: Annotated[str, choice("articles", "unique", "stories")] | None = Field(
        None,
        description="One entry for every article, for every text (copies are named in it), or for "
        "every story.",
    )
    byline: Annotated[str, choice("none", "source", "title_prefix")] | None = Field(
        None,
        description="Where the outlet is named, as no reader shows a feed's `source`: beside the "
        "author, before the headline (some readers then show items again), or nowhere.",
    )
    followed: Flag | None = Field(
        None, description="Whether articles found through related links appear."
    )
    followed_max_age: Annotated[timedelta, duration(_HOUR)] | None = Field(
        None, description="How old such articles may be to appear."
    )


class Document(Group):
    """The configuration of aggregator."""

    include: Annotated[
        tuple[str, ...] | None,
        WithJsonSchema(
            {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
        ),
    ] = Field(None, description="Further files, relative to this one; `*` and `**` are patterns.")
    service: Service | None = Field(None, description="Who we are and where we listen.")
    storage: Storage | None = Field(None, description="Where items are kept and for how long.")
    polling: Polling | None = Field(None, description="How often sources are asked.")
    fetching: Fetching | None = Field(
        None, description="How we behave on the wire and what we refuse."
    )
    dedup: Dedup | None = Field(None, description="When items are one and the same.")
    defaults: Defaults | None = Field(
        None, description="What every source takes that does not say otherwise."
    )
    sources: list[Source] | None = Field(None, description="The feeds to poll.")
    views: list[View] | None = Field(
        None, description="The merged feeds to serve; one named `all` without it."
    )
