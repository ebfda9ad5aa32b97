"""Related links in the markups that content management systems make, in several languages."""

# ruff: noqa: E501 - lines of HTML

from __future__ import annotations

import pytest

from aggregator.articles.related.found import related_links

URL = "https://www.blatt.example/region/2025/faehre-kehrt-in-den-nordhafen-zurueck-20418"
TITLE = "Nachtfähre kehrt in den Nordhafen zurück"
PROSE = (
    "Die Nachtfähre ist am Freitag nach elf Jahren in den Nordhafen zurückgekehrt; rund zweihundert "
    "Menschen standen im Regen am Kai und sahen zu, wie sie anlegte.",
    "Ihr Kapitän hatte schon das letzte Schiff der alten Linie aus dem Hafen gebracht und sagte, "
    "verändert hätten sich nur die Lichter der Stadt hinter den Hügeln.",
    "Die Reederei will bis zum Frühjahr fahren und dann entscheiden, ob sich ein zweites Schiff "
    "lohnt; die Stadt hat zugesagt, den Anleger zu bezahlen.",
    "Wer mitfahren will, braucht keine Karte im Voraus, denn an Bord ist Platz für vierhundert "
    "Fahrgäste, und die erste Woche kostet sie nichts.",
)
P = [f"<p>{text}</p>" for text in PROSE]
A, B, C = "Stadt bezahlt neuen Anleger am Nordhafen", "Leuchtturm bleibt im Winter dunkel", "Reederei sucht zwanzig neue Matrosen"  # fmt: skip
HREF = {
    A: "/region/2025/stadt-bezahlt-neuen-anleger-20399",
    B: "/region/2024/leuchtturm-bleibt-im-winter-dunkel-19870",
    C: "/wirtschaft/2025/reederei-sucht-zwanzig-neue-matrosen-20120",
}
FAR = "Bäckerei gewinnt schon wieder einen Preis"
FARTHER = "Zirkus zeigt dressierte Gänse auf dem Markt"
HREF |= {FAR: "/leute/2025/baeckerei-gewinnt-schon-wieder-20330", FARTHER: "/kultur/2025/zirkus-zeigt-gaense-20311"}  # fmt: skip


def a(text: str, inner: str = "", rel: str = "") -> str:
    return f'<a href="{HREF[text]}"{f" rel={rel}" if rel else ""}>{inner or text}</a>'


def page(within: str = "", below: str = "", *, wrap: str = "{}", above: str = "") -> str:
    body = (
        f"<h1>{TITLE}</h1>{above}<div class=content>{P[0]}{P[1]}{within}{P[2]}{P[3]}</div>{below}"
    )
    return (
        f"<!doctype html><html lang=de><head><title>{TITLE} | Blatt</title></head><body><header><nav>"
        f"<a href=/>Start</a><a href=/region/>Region</a></nav></header>{wrap.format(body)}"
        "<footer><a href=/impressum>Impressum und Kontakt</a></footer></body></html>"
    )


def found(html: str, url: str = URL) -> list[str]:
    return [link.text for link in related_links(html, url)]


# --- whatever holds the text is never apart -------------------------------------------------------

LIST = f"<section><h2>Mehr zum Thema</h2><ul><li>{a(A)}</li><li>{a(B)}</li></ul></section>"


@pytest.mark.parametrize(
    "wrap",
    [
        '<form method=post action="./story.aspx" id=aspnetForm>{}</form>',
        "<div class='steady-paywall-container'>{}</div>",
        "<article class='node node--type-article node--promoted node--view-mode-full'>{}</article>",
        "<main class='post type-post tag-hafen share sponsored-content'>{}</main>",
        "<div id='podcast' class='article byline'><div class='subscribe-wrapper'>{}</div></div>",
    ],
)
def test_what_holds_the_text_is_never_apart(wrap: str) -> None:
    assert found(page(f"<aside>{a(C)}</aside>", LIST, wrap=wrap)) == [C, A, B]


def test_comments_longer_than_the_text_are_not_the_text() -> None:
    comments = "".join(f"<div class=comment><p>{text} {text}</p></div>" for text in PROSE * 3)
    html = page(f"<aside>{a(C)}</aside>", LIST + f"<section class=comments>{comments}</section>")

    assert found(html) == [C, A, B]


def test_an_entry_of_a_list_may_be_a_promoted_node() -> None:
    rows = "".join(
        f'<div class="views-row"><article class="node node--promoted node--view-mode-teaser">'
        f"{a(t, f'<div class=field__label>Bild</div><h3>{t}</h3>')}</article></div>"
        for t in (A, B)
    )
    html = page(below=f'<div class="view view-related"><h2>Ähnliche Artikel</h2>{rows}</div>')

    assert len(found(html)) == 2


# --- what an article's address looks like here ----------------------------------------------------


@pytest.mark.parametrize(
    ("own", "others"),
    [
        ("https://paper.example/archive/63076", ["/archive/39710", "/archive/41650"]),
        ("https://hub.example/topic/7PM49H7yjs5", ["/topic/7PKD2AyaKNe"]),
        ("http://sea.people.example.cn/n1/2019/0412/c1008-31026310.html", ["http://gd.people.example.cn/n1/2019/0410/c99-31026222.html"]),
        ("https://paper.example/personen/wer-faehrt-die-neue-faehre-77", ["/personen/wer-baut-den-neuen-anleger-78"]),
        ("https://paper.example/index.php?id=63076", ["/index.php?id=63099"]),
        ("https://paper.example/news/a-b-c-d-1234", ["/personen/der-kapitaen-der-letzten-faehre-geht"]),
        ("https://paper.example/share/5531122", ["/share/5531100"]),
    ],
)  # fmt: skip
def test_the_pages_own_address_says_what_an_article_is(own: str, others: list[str]) -> None:
    items = "".join(
        f'<li><a href="{href}">Die Stadt bezahlt Anleger Nummer {i}</a></li>'
        for i, href in enumerate(others)
    )

    assert len(
        found(page(below=f"<div><h3>Mehr zum Thema</h3><ul>{items}</ul></div>"), own)
    ) == len(others)


@pytest.mark.parametrize(
    "href",
    [
        "/personen/mara-lindqvist",
        "/autoren/mara-lindqvist-1234",
        "/thema/nordhafen",
        "/region/",
        URL + "/bilder",
        "/region/2025/faehre-kehrt-in-den-nordhafen-zurueck-20418/kommentare",
    ],
)
def test_persons_topics_and_pages_of_the_article_itself_are_none(href: str) -> None:
    link = f'<li><a href="{href}">Alles über den alten Nordhafen und mehr</a></li>'

    assert found(page(below=f"<div><h3>Mehr zum Thema</h3><ul><li>{a(A)}</li>{link}</ul></div>")) == [A]  # fmt: skip


# --- a list with a heading of its own is no headless card -----------------------------------------


@pytest.mark.parametrize(
    "block",
    [
        "<div class=box><h3>Meistgelesen</h3><ol><li>{}</li><li>{}</li></ol></div>",
        "<div class=box><h2>Más <a href=/trending>Trending</a></h2><ol><li>{}</li><li>{}</li></ol></div>",
        "<h3>Im Brennpunkt</h3><ul><li>{}</li><li>{}</li></ul>",
        "<div class=ticker><span>Ticker</span> {} {}</div>",
        "<div><div class=rank-t>Die Rangliste der Woche</div><div>1 {}</div><div>2 {}</div></div>",
        "<aside><p><strong>Was sonst geschah</strong></p><p>{}</p><p>{}</p></aside>",
        "<section><header>Kurz notiert</header><article>{}</article><article>{}</article></section>",
    ],
)
def test_a_list_with_a_heading_of_its_own_is_no_headless_card(block: str) -> None:
    assert found(page(block.format(a(FAR), a(FARTHER)))) == []


def test_a_list_without_a_heading_is_a_card_and_so_is_one_on_the_subject() -> None:
    assert found(page(f"<ul><li>{a(FAR)}</li><li>{a(FARTHER)}</li></ul>")) == [FAR, FARTHER]
    block = f"<div><h3>So begann es</h3><ul><li>{a(A)}</li><li><a href='/region/2024/die-alte-faehre-sinkt-18'>Die alte Nachtfähre sinkt</a></li></ul></div>"
    assert len(found(page(block))) == 2


# --- rich cards -----------------------------------------------------------------------------------

CATEGORY = '<a class=cat href="/region/">Aus der Region</a>'
AUTHOR = '<a href="/autoren/mara-lindqvist" rel=author>Von Mara Lindqvist</a>'


@pytest.mark.parametrize(
    "block",
    [
        # titles in h2 below an h4
        "<h4>Ähnliche Beiträge</h4><div class=grid>{cards_h2}</div>",
        # the heading alone in its section, header or column
        "<section class=b><section class=head><h3>Mehr zum Thema</h3></section><div class=row>{cards_h3}</div></section>",
        "<div class=row><div class='col-12 title'><div class=w><h2><a>Verwandte Artikel</a></h2><div><a class=hide>mehr</a></div></div></div><div class='col-12'>{cards_h2}</div></div>",
        "<section><header><h2>Lesen Sie dazu auch</h2></header>{cards_h3}</section>",
        # several description lists
        "<div><h3>Mehr zum selben Thema</h3>{dls}</div>",
        # summaries and dates below the titles
        "<div><h3>Zum gleichen Thema</h3>{summaries}</div>",
        # a whole card is one link
        "<div class=rel><div class=t>Weiterführende Artikel</div>{whole}</div>",
        # table rows
        "<table><tr><td><b>Verwandte Meldungen</b></td></tr>{rows}</table>",
        # the title beside the link
        "<div><h3>Ähnliche Artikel</h3>{stretched}</div>",
        # words of the heading in several elements
        "<div class=hd><h3>ÄHNLICHE</h3> <h3>ARTIKEL</h3></div><div class=g>{cards_h3}</div>",
        # picture, category, title in three grid cells
        "<div class=grid><h3>Passend zum Thema</h3>{cells}</div>",
    ],
)  # fmt: skip
def test_rich_cards_stay_with_their_heading(block: str) -> None:
    def each(form: str) -> str:
        return "".join(
            form.format(
                t=t, h=HREF[t], a=a(t), i=a(t, "<img src=t.jpg alt=''>"), c=CATEGORY, w=AUTHOR
            )
            for t in (A, B, C)
        )

    summary = (
        "Kurz und knapp erzählt, was an der Küste in den letzten Wochen alles geschehen ist und noch geschehen soll, mit Stimmen aus dem Rathaus, von der Reederei und vom Kai. "
        * 2
    )
    html = block.format(
        cards_h2=each("<div class=card><div class=cat>{c}</div>{i}<div><h2>{a}</h2>{w}<time>3. Mai</time></div></div>"),
        cards_h3=each("<article class=node>{i}<div class=meta>{c} · {w}</div><h3>{a}</h3></article>"),
        dls=each("<dl><dt>{a}</dt><dd>Aus der Region, 3. Mai</dd></dl>"),
        summaries=each("<div class=item><h4>{a}</h4><div class=s><p>" + summary + "</p></div></div>"),
        whole=each('<a href="{h}"><div><img src=t.jpg alt=""></div><div><span>Region</span><h4>{t}</h4></div></a>'),
        rows=each("<tr><td>·</td><td>{a}</td><td>3. Mai</td></tr>"),
        stretched=each('<article><h2 class=ah>{t}</h2><p>In <a href="/region/r">Region</a> - 3. Mai</p><a class=stretched-link href="{h}"></a></article><hr>'),
        cells=each("<div>{i}</div><div>{c}</div><div>{a}</div>"),
    )  # fmt: skip

    assert [link.url.rpartition("/")[2] for link in related_links(page(below=html), URL)] == [
        HREF[t].rpartition("/")[2] for t in (A, B, C)
    ]


# --- headings -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "heading",
    [
        "Mehr zum Thema Nordhafen",
        "Mehr zum Thema bei Blatt Plus",
        "Zum selben Thema",
        "Weitere Berichte zum gleichen Thema",
        "Passend zum Artikel",
        f"Mehr zum Thema: {TITLE} und was in den nächsten Wochen aus ihr und dem Hafen werden soll",
        f"Ähnliche Artikel wie „{TITLE}“",
        "Related Posts You May Read",
        "Articles similaires",
        "Sur le même thème",
        "Artículos relacionados con el puerto",
        "También puedes leer",
        "Материалы по этой теме",
        "Похожие записи",
        "Podobne wpisy",
        "Powiązane treści",
        "Související články",
        "これに関連する記事",
        "相关推荐",
        "相關報導",
        "관련 기사 보기",
        "أخبار ذات صلة",
        "یہ بھی پڑھیں",
        "संबंधित खबरें",
        "আরও পড়ুন",
        "Berita terkait lainnya",
        "Bài viết liên quan",
        "ข่าวที่เกี่ยวข้อง",
        "Läs även",
        "Aiheeseen liittyvää",
        "Kapcsolódó anyagaink",
        "İlgili haberler",
        "Σχετικά άρθρα",
        "ΔΙΑΒΑΣΤΕ ΕΠΙΣΗΣ",
        "İLGİLİ HABERLER",
        "A LIRE AUSSI",
        "إقرأ ايضا",
        "ЕЩЕ ПО ТЕМЕ",
        "» Čtěte také «",
    ],
)
def test_headings_are_read_by_their_words(heading: str) -> None:
    html = page(below=f"<div class=b><h3>{heading}</h3><ul><li>{a(A)}</li><li>{a(FAR)}</li></ul></div>")  # fmt: skip

    assert found(html) == [A, FAR]


@pytest.mark.parametrize(
    "heading",
    [
        "Verwandte Themen",
        "Related Tags",
        "相关标签",
        "関連キーワード",
        "Sujets associés",
        "Temas relacionados",
        "Leser lasen auch",
        "Das könnte Sie auch interessieren",
        "People also read",
        "Mehr aus der Region",
        "Das Wetter zum Wochenende",
    ],
)
def test_other_headings_announce_nothing(heading: str) -> None:
    html = page(below=f"<div class=b><h3>{heading}</h3><ul><li>{a(FAR)}</li><li>{a(FARTHER)}</li></ul></div>")  # fmt: skip

    assert found(html) == []


@pytest.mark.parametrize(
    "paragraph",
    [
        "<p><span class=more>MORE: {}</span></p>",
        "<p><strong>ALSO READ | {}</strong></p>",
        "<p>यह भी पढ़ें- {}</p>",
        "<p><b>Lesen Sie auch:</b> {}</p>",
        "<div class=incut><span>Читайте также:</span> {}</div>",
        "<p>اقرأ أيضاً: {}</p>",
        "<p>【関連記事】{}</p>",
        "<p>延伸阅读：{}</p>",
        "<p><em>Lee también: {}</em></p>",
        "<blockquote class=wp-embedded-content><p>{}</p></blockquote>",
    ],
)
def test_a_marker_may_stand_before_its_link(paragraph: str) -> None:
    assert found(page(paragraph.format(a(A)))) == [A]
    assert found(page(below="", within="").replace(P[3], P[3] + paragraph.format(a(A)))) == [A]


def test_markers_right_below_the_text_follow_each_other() -> None:
    lines = "<p>Schreiben Sie uns, was Sie davon halten.</p>" + "".join(
        f"<p class=ml>MORE: {a(t)}</p>" for t in (A, B, C)
    )

    assert found(page().replace(P[3], P[3] + lines)) == [A, B, C]


def test_a_list_of_lines_in_one_paragraph() -> None:
    assert found(page(below=f"<p>【関連記事】<br>・{a(A)}<br>・{a(B)}</p>")) == [A, B]


# --- an empty list ends there ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "empty",
    [
        "<div class=tit>相关新闻</div><ul></ul>",
        "<div class=tit>相关新闻</div><div class=list></div>",
        "<div><div class=tit><span>Related News</span></div><ul class=list></ul></div>",
        "<h3 class=tit>Mehr zum Thema</h3><div id=rel></div>",
        "<section><h2 class=tit>Mehr zum Thema</h2></section>",
        "<table><tr><td class=tit><b>Related News</b></td></tr><tr><td></td></tr></table>",
    ],
)
@pytest.mark.parametrize(
    "widget",
    [
        "<div class=tit>图片新闻集锦</div><div class=list><ul><li>{}</li><li>{}</li></ul></div>",
        "<div><div class=tit><span>Was sonst geschah</span></div><ul class=list><li>{}</li><li>{}</li></ul></div>",
        "<section><h2 class=tit>Aus aller Welt</h2><ul><li>{}</li><li>{}</li></ul></section>",
    ],
)
def test_an_empty_list_ends_there(empty: str, widget: str) -> None:
    assert found(page(below=empty + widget.format(a(FAR), a(FARTHER)))) == []


# --- what is not related --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "block",
    [
        '<nav class="navigation post-navigation"><h2>Beitragsnavigation</h2><div class=nav-links><div class=nav-previous>{prev}</div></div></nav>',
        "<div class=pager>{prev} {next}</div>",
        "<p>上一篇：{one}</p><p>下一篇：{two}</p>",
        "<p>Nächster Artikel: {one}</p>",
        "<div><span>Previous article</span>{one}</div><div><span>Next article</span>{two}</div>",
    ],
)
def test_previous_and_next_are_not_related(block: str) -> None:
    html = block.format(
        prev=a(FAR, rel="prev"), next=a(FARTHER, rel="next"), one=a(FAR), two=a(FARTHER)
    )

    assert found(page(below=html)) == []
    assert found(page().replace(P[3], P[3] + html)) == []


@pytest.mark.parametrize(
    "block",
    [
        '<aside><a href="/briefe/abonnieren-hafen-2024"><span>Jeden Morgen</span> Der Newsletter aus dem Nordhafen und der Region</a></aside>',
        '<figure><a href="/bilder/2025/die-faehre-bei-nacht-20419"><img src=f.jpg alt="Die Fähre bei Nacht im alten Hafen"></a></figure>',
        '<div class=live><a href="/sport/liveticker/">Liveticker: alle Spiele des Abends im Überblick</a></div>',
        '<p><a href="/region/2025/faehre-kehrt-in-den-nordhafen-zurueck-20418/bilder">Zur Bildergalerie von der Ankunft</a></p>',
    ],
)  # fmt: skip
def test_services_and_pictures_in_the_text_are_not_related(block: str) -> None:
    assert found(page(block)) == []


# --- whole pages as systems make them -------------------------------------------------------------


def test_a_heading_shares_its_line_with_a_tab_for_the_author() -> None:
    modules = "".join(
        f"<div class=td-related-span4><div class=module><div class=thumb>{a(t, '<img src=t.jpg>')}<a href=/region/ class=cat>Region</a></div><div class=item-details><h3>{a(t)}</h3></div></div></div>"
        for t in (A, B, C)
    )
    html = page(
        below='<div class="td-post-next-prev"><div><span>Vorheriger Artikel</span>' + a(FAR) + "</div></div>"
        '<div class="td_block_related_posts"><h4 class=td-related-title><a class="td-related-left active" href="#">Ähnliche Artikel</a><a class=td-related-right href="#">Mehr vom Autor</a></h4>'
        f"<div class=td_block_inner><div class=row>{modules}</div></div></div>"
    )  # fmt: skip

    assert found(html) == [A, B, C]


def test_a_plain_list_with_dates_before_its_links() -> None:
    items = "".join(f"<li><span class=date>03.05.2025</span> {a(t)}</li>" for t in (A, B))
    html = page(
        below=f"<div class=news-related-wrap><div class=news-related><h4>Ähnliche Nachrichten</h4><ul>{items}</ul></div></div>"
    )

    assert found(html) == [A, B]


def test_another_article_below_is_not_the_text() -> None:
    second = f"<article><h1>{FAR} und noch einen</h1><div class=content>" + "".join(P) * 2 + "</div></article>"  # fmt: skip
    html = page(f"<aside>{a(C)}</aside>", second, wrap="<article>{}</article>")
    html = html.replace(second, "").replace("</article>", "</article>" + second, 1)

    assert found(html) == [C]


def test_a_text_that_leads_to_many_places_is_no_title() -> None:
    cards = "".join(
        f'<div class=p><h3>{t}</h3><a href="{HREF[t]}">Zum ganzen Bericht der Redaktion</a></div>'
        for t in (A, B, C)
    )

    assert found(page(cards)) == []


def test_a_menu_announces_nothing() -> None:
    menu = f'<div class="main-menu"><ul><li><a href="/related-work">Related work</a><ul><li>{a(FAR)}</li></ul></li></ul></div>'

    assert found(page(above=menu)) == []


@pytest.mark.parametrize(
    "card",
    [
        '<aside><h4>In eigener Sache</h4><a href="/unterstuetzen-sie-unsere-arbeit">Unterstützen Sie unsere Arbeit mit einem Beitrag</a></aside>',
        '<p><a href="/die-app-des-blattes">Laden Sie jetzt die App des Blattes für unterwegs</a></p>',
        '<div class=box><a href="https://hilfe.blatt.example/fragen/wie-wir-arbeiten-und-warum">Wie wir arbeiten und woran wir uns halten</a></div>',
        '<div class=toc><p>Inhalt</p><ul><li><a href="{url}#a">Was am Freitag am Kai geschah</a></li><li><a href="{url}#b">Wie es mit der Fähre weitergeht</a></li></ul></div>',
        '<div class=author-box><img src=m.jpg><a href="/autoren/mara-lindqvist">Mara Lindqvist berichtet von der Küste</a><p>Mara Lindqvist schreibt seit zwanzig Jahren über Häfen, Fähren und Fische und wohnt am Wasser.</p></div>',
    ],
)  # fmt: skip
def test_what_promotes_the_house_is_no_related_news(card: str) -> None:
    assert found(page(card.format(url=URL))) == []


def test_tabs_show_panels_that_stand_in_one_block() -> None:
    tabs = f"<div class=tabs><span>Ähnliche Artikel</span><span>Meistgelesen</span></div><div class=panes><div>{a(A)}{a(B)}</div><div>{a(FAR)}</div></div>"

    assert found(page(below=tabs)) == [A, B]


def test_generated_class_names_say_nothing_and_need_not() -> None:
    cards = "".join(
        f'<div class=x5><div class=x6>{a(t, "<span class=x7><img src=x.jpg></span>")}</div><div class=x8><a class=x9 href="/region">Region</a>{a(t)}</div></div>'
        for t in (A, B, C)
    )
    widget = "<div class=x1><div class=x2><div class=x3>{}</div></div><div class=x4>{}</div></div>"
    html = widget.format("Ähnliche Artikel", cards) + widget.format("Aus dem Tierreich", a(FAR))

    assert found(page(below=html)) == [A, B, C]
    assert found(page(below=f"<div>{html}</div>")) == [A, B, C]


@pytest.mark.parametrize(
    ("block", "titles"),
    [
        ("<p>延伸阅读</p><p>{A}</p><p>{B}</p>", [A, B]),
        ('<table class="linksisip"><tr><td><div><strong>Baca juga: </strong>{A}</div></td></tr></table>', [A]),
        ("<p><b>Lee también</b><br>• {A}<br>• {B}</p>", [A, B]),
        ("<p>Lesen Sie auch:</p><p>– {A}</p><p>– {B}</p>", [A, B]),
        ("<div class=interstitial-link>{A}</div>", [A]),
        ("<figure><div><blockquote class=wp-embedded-content>{A}</blockquote><iframe src=x></iframe></div></figure>", [A]),
        ("<table><tr><td>▪</td><td><b>相关新闻</b></td></tr><tr><td colspan=2><table><tr><td>·</td><td>{A}</td></tr><tr><td>·</td><td>{B}</td></tr></table></td></tr></table>", [A, B]),
        ("<div class=widget><h3>Latest News</h3><ul><li>{C}</li></ul></div><div class=widget><h3>Related News</h3><ul><li>{A}</li></ul></div>", [A]),
        ("<div class=hd><h3>Zum Thema</h3><a href=/thema/nordhafen>alle anzeigen</a></div><ul><li>{A}</li><li>{B}</li></ul>", [A, B]),
    ],
)  # fmt: skip
def test_lists_as_old_and_new_systems_build_them(block: str, titles: list[str]) -> None:
    html = block.format(A=a(A), B=a(B), C=a(C))

    assert found(page(html)) == titles
