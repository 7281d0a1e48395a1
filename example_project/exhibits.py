"""What the gallery shows: for each widget the lines of a template, and its most used options."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["EXHIBITS", "HERO", "Exhibit"]


@dataclass(frozen=True)
class Exhibit:
    tag: str
    lead: str
    source: str
    """The lines, as they stand on the page and as the page is made from them."""
    options: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        """The tag without its prefix."""
        return self.tag.removeprefix("fcs_")


HERO = Exhibit(
    "fcs_scripts",
    "",
    """\
{% load fcs %}{% fcs_scripts %}
{% fcs_ticker "FX:EURUSD" %}
{% fcs_ticker "BINANCE:ETHUSDT" %}""",
)

EXHIBITS = (
    Exhibit(
        "fcs_price",
        "One number in a sentence, in the type of the sentence.",
        """\
<p>The euro stands at
{% fcs_price "FX:EURUSD" %} dollars, the yen
at {% fcs_price "FX:USDJPY" %}, and an ounce
of gold at {% fcs_price "FX:XAUUSD" %}.</p>""",
        (("field", "close, bid, ask, high, low, change, …"), ("timeframe", "1 minute to 1 month")),
    ),
    Exhibit(
        "fcs_tag",
        "A chip: symbol, price and change. Optionally a link.",
        """\
<p>On the move:
{% fcs_tag "FX:GBPUSD" %} and
{% fcs_tag "NASDAQ:AAPL" href="/stocks/" %}.</p>""",
        (("sparkline", "the last hour"), ("href", 'an address: "/{symbol}/"')),
    ),
    Exhibit(
        "fcs_ticker",
        "A card: price, change, the last hour, and where the price stands in the day.",
        """\
{% fcs_ticker "FX:GBPUSD" %}
{% fcs_ticker "NASDAQ:AAPL" href="/stocks/" %}""",
        (("item_size", "regular, compact"), ("unit", "the currency or unit of the price")),
    ),
    Exhibit(
        "fcs_tape",
        "A strip that moves when it does not fit, and stops at a touch, a key or its button.",
        '{% fcs_tape "FX:EURUSD FX:USDJPY FX:GBPUSD FX:XAUUSD NASDAQ:AAPL" %}',
        (("direction", "horizontal, vertical"), ("item_size", "compact, regular")),
    ),
    Exhibit(
        "fcs_table",
        "A watch list of hundreds: choose columns, sort, filter, keyboard navigation.",
        "{% fcs_table watch_list filter=True %}",
        (
            ("rows", 'a list: symbols, your objects, or ("Forex", symbols)'),
            ("columns", "sparkline close change change_percent bid ask …"),
            ("sort", '"-change_percent": the largest gain first'),
            ("item_size", "regular 36 px, compact 28 px"),
        ),
    ),
    Exhibit(
        "fcs_sparkline",
        "The last hour as a line, with the previous close as its base.",
        """\
<p>Gold {% fcs_sparkline "FX:XAUUSD" %}
and silver {% fcs_sparkline "FX:XAGUSD" %}
in the last hour.</p>""",
        (("timeframe", "what the change is measured from"),),
    ),
    Exhibit(
        "fcs_chart",
        "Candles that stand in the page before any script runs.",
        '{% fcs_chart "FX:EURUSD" timeframe="5" height=240 %}',
        (
            ("type", "candles, bars, line, area"),
            ("timeframes", 'those to choose from: "1 5 60 1D"'),
            ("zone", 'viewer, exchange, UTC, "Europe/Berlin"'),
            ("lines", "lines at prices, with labels"),
        ),
    ),
    Exhibit(
        "fcs_chart_url",
        "The same drawing without a script: static in a page, or an image with an address.",
        """\
{% fcs_chart "FX:EURUSD" static=True width=360 %}
<img alt="The euro in dollars"
  src="{% fcs_chart_url "FX:EURUSD" width=360 %}">""",
        (
            ("static", "colours as attributes, no stylesheet"),
            ("theme", "light, dark"),
            ("width", "160 to 1200 px"),
            ("format", "svg; png for mails and link previews"),
        ),
    ),
    Exhibit(
        "fcs_spread",
        "Bid and ask as dealers read them.",
        """\
{% fcs_spread "FX:EURUSD" %}
{% fcs_spread "FX:USDJPY" %}""",
        (("announce", "for screen readers, at most every 30 s"), ("href", "the board is a link")),
    ),
    Exhibit(
        "fcs_heatmap",
        "Seven steps of colour, and the figure in every tile.",
        '{% fcs_heatmap map size="weight" %}',
        (("size", "equal, or by an attribute of your objects"), ("href", "each tile is a link")),
    ),
    Exhibit(
        "fcs_movers",
        "The largest gains and losses among the listed instruments.",
        "{% fcs_movers watch_list count=4 %}",
        (("count", "rows of each side: 1 to 20"), ("href", "each row is a link")),
    ),
    Exhibit(
        "fcs_converter",
        "An amount in other currencies, from the pairs that the site has.",
        '{% fcs_converter "USD GBP JPY CHF AUD CAD" %}',
        (("amount", "initial amount (100)"), ("base", "initial currency (EUR)")),
    ),
    Exhibit(
        "fcs_status",
        "One line on the connection, for the corner of a page.",
        "{% fcs_status %}",
    ),
)
