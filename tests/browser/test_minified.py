"""What production loads: the minified files, as ``fcs_scripts`` prints them."""

from __future__ import annotations

from playwright.async_api import expect

from tests.browser.element_page import EURUSD, TICKER, Site, euro, site, state

__all__ = ["site"]


async def test_the_minified_files_show_prices_and_styles_under_a_strict_policy(site: Site) -> None:
    site.server.is_minified = True
    scripts: list[str] = []
    site.page.on("response", lambda response: scripts.append(response.url))

    await site.open(f'{TICKER}<fcs-price symbol="{EURUSD}" field="bid"></fcs-price>')
    await site.joined(f"{EURUSD}_1D")
    await site.send(euro(1), state("live"))

    await expect(site.field("close")).to_have_text("1.08412")
    await expect(site.field("bid")).to_have_text("1.08408")
    await expect(site.find("fcs-ticker")).to_have_attribute("data-direction", "up")
    await expect(site.find("fcs-ticker")).to_have_css("display", "block")
    loaded = {url.rpartition("/")[2] for url in scripts}
    assert {"fcs.min.css", "fcs.min.js"} <= loaded
    assert "fcs-client.min.js" not in loaded
