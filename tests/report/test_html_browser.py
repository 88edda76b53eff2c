"""The page in a browser, from disk, as readers use it: by mouse, by keyboard, in the dark, on paper, without script.

The browser lives as long as this module's tests and not longer: Playwright keeps an event loop running in its
thread, and tests elsewhere start their own.
"""

from __future__ import annotations

import shutil

import html_plans
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright
from test_html import HOSTILE, plan_that_says

from reconciler.report.html import plan_html

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
OPTIONS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
MODULE, MENU, LINE = "commonModule/Authenticate Caller", "inboundCall/Business", "ivr/Business Line"

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (apt-get install chromium)")


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS.split())
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    return saved(tmp_path_factory.mktemp("page"), html_plans.everything())


@pytest.fixture
def show(browser):
    """Opens a page; whatever the browser complains of or asks the network for fails the test."""
    contexts, complaints = [], []

    def opened(url, **settings):
        context = browser.new_context(viewport={"width": 1280, "height": 900}, **settings)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: (complaints.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda asked: asked.url.split("#")[0] != url.split("#")[0] and complaints.append(asked.url))
        page.goto(url)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def saved(folder, plan):
    path = folder / "plan.html"
    path.write_text(plan_html(plan), encoding="ascii")
    return path.as_uri()


def row(page, address):
    return page.locator(f'.entry[data-address="{address}"]')


def shown(page):
    return page.locator(".entry:visible").evaluate_all("rows => rows.map(row => row.dataset.address)")


def test_a_reader_sees_the_verdict_the_counts_and_whom_the_plan_reaches(show, everything):
    page = show(everything)
    expect(page.get_by_role("heading", level=1)).to_have_text("Plan for prod")
    overview = page.get_by_role("region", name="Overview")
    expect(overview).to_contain_text("This plan can be applied. It makes 6 changes.")
    expect(overview).to_contain_text("with changes that are in no commit")
    expect(overview).to_contain_text("+441632960110")
    expect(overview.get_by_role("button", name="2 to update")).to_be_enabled()
    expect(page.get_by_role("region", name="Drift")).to_contain_text("Changed by Ada Lindqvist at 2026-11-18 14:05 UTC")
    expect(page.get_by_role("region", name="Unmanaged")).to_contain_text("inboundCall/Old Sales holds")
    expect(page.get_by_role("region", name="Findings")).to_contain_text("flows/business/business.yaml:150:47")


def test_search_and_filters_narrow_the_list_and_a_link_shows_the_same(show, everything):
    page = show(everything)
    page.get_by_role("searchbox", name="Search").fill("01632 960110")
    assert shown(page) == [MODULE, MENU, LINE]
    page.get_by_role("button", name="2 to update").click()
    assert shown(page) == [MODULE, LINE]
    page.get_by_role("button", name="with drift").click()
    assert shown(page) == [LINE]
    expect(page.locator("#hits")).to_have_text("1 of 6 changes")

    again = show(page.url)
    assert shown(again) == [LINE]
    expect(again.get_by_role("searchbox", name="Search")).to_have_value("01632 960110")
    expect(again.get_by_role("button", name="2 to update")).to_have_attribute("aria-pressed", "true")
    again.get_by_role("searchbox", name="Search").fill("nowhere")
    expect(again.get_by_text("No change matches.")).to_be_visible()
    again.keyboard.press("Escape")
    assert len(shown(again)) == 6
    assert "#" not in again.url


def test_the_keyboard_alone_finds_a_change_opens_it_and_jumps_to_what_needs_it(show, everything):
    page = show(everything)
    page.keyboard.press("/")
    page.keyboard.type("four-digit")
    assert shown(page) == [MODULE]
    summary = row(page, MODULE).locator("summary").first
    for _ in range(30):
        page.keyboard.press("Tab")
        if summary.evaluate("summary => summary === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(row(page, MODULE).get_by_text("Compared with the spec")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(row(page, MENU).locator("summary").first).to_be_focused()
    expect(row(page, MENU).get_by_text(f"holds {MODULE}")).to_be_visible()
    page.keyboard.press("k")
    expect(summary).to_be_focused()
    page.go_back()
    assert shown(page) == [MODULE]


def test_a_box_of_the_picture_is_chosen_by_click_or_enter_and_its_way_is_lit(show, everything):
    page = show(everything)
    picture = page.get_by_role("region", name="Picture")
    picture.get_by_role("button", name=f"{MENU}, republish").click()
    lit = page.locator(".node.lit").evaluate_all("nodes => nodes.map(node => node.dataset.address)")
    assert set(lit) == {MODULE, MENU, LINE, f"numbers of {LINE}", "inboundCall/Transfers Here"}
    expect(row(page, MENU)).to_have_attribute("aria-current", "true")
    expect(row(page, MENU).get_by_text("Depends on")).to_be_visible()
    expect(picture.get_by_role("status")).to_contain_text("Numbers reached+441632960110")

    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    expect(row(page, MODULE)).to_have_attribute("aria-current", "true")
    assert "chosen=commonModule" in page.url
    page.keyboard.press("Escape")
    assert page.locator(".node.lit").count() == 0


def test_before_and_after_stand_side_by_side_with_the_words_marked(show, everything):
    page = show(everything)
    page.get_by_role("button", name="Open all").click()
    first = row(page, MODULE).locator(".compare").first
    before, after = first.locator(".before"), first.locator(".after")
    expect(before).to_contain_text("Now enter your four-digit PIN.")
    expect(before.locator("del")).to_have_text("Now")
    expect(after.locator("ins")).to_have_text("Please")
    left, right = before.bounding_box(), after.bounding_box()
    assert left["x"] + left["width"] <= right["x"]
    assert left["y"] == right["y"]


def test_what_looks_like_markup_stays_text(show, tmp_path):
    page = show(saved(tmp_path, plan_that_says(HOSTILE)))
    assert shown(page) == [f"inboundCall/{HOSTILE}"]
    expect(page.locator(".entry h3")).to_have_text(f"inboundCall/{HOSTILE}")
    page.get_by_role("searchbox", name="Search").fill("</script><script>")
    assert len(shown(page)) == 1
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 2


def test_the_browser_runs_and_loads_nothing_but_the_page_s_own(browser, everything):
    page = browser.new_page()
    page.goto(everything)
    blocked = page.evaluate(
        """async () => {
            const blocked = [];
            document.addEventListener("securitypolicyviolation", event => blocked.push(event.effectiveDirective));
            const image = document.createElement("img");
            image.src = "data:image/gif;base64,R0lGODlhAQABAAAAACw=";
            const script = document.createElement("script");
            try { script.text = "window.ran = true"; } catch { /* not even that may be tried */ }
            const style = document.createElement("style");
            style.textContent = "body { display: none }";
            document.body.append(image, script, style);
            await fetch("https://example.com/").catch(() => {});
            for (let wait = 0; wait < 50 && blocked.length < 4; wait++) await new Promise(done => setTimeout(done, 20));
            return blocked;
        }"""
    )
    page.close()
    assert {"img-src", "style-src-elem", "connect-src", "require-trusted-types-for"} <= set(blocked)


def test_it_follows_the_system_into_the_dark_and_the_button_leads_out(show, everything):
    page = show(everything, color_scheme="dark")
    background = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(background)
    page.get_by_role("button", name="Light colours").click()
    light = page.evaluate(background)
    assert light == "rgb(255, 255, 255)"
    assert dark != light


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_stands_in_the_way_of_people_with_disabilities(show, everything, scheme):
    page = show(everything, color_scheme=scheme)
    page.get_by_role("button", name="Open all").click()
    page.get_by_role("button", name="2 to update").click()
    page.get_by_role("button", name=f"{MENU}, republish").click()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_without_script_everything_can_be_read(show, everything):
    page = show(everything, java_script_enabled=False)
    plan = html_plans.everything()
    for change in plan.changes:
        expect(row(page, change.address).get_by_role("heading", name=change.address)).to_be_visible()
    expect(page.get_by_role("searchbox")).to_have_count(0)
    page.get_by_role("heading", name=MODULE).first.click()
    expect(page.get_by_text('start-up task: "Closed" says other words')).to_be_visible()


def test_it_fits_a_phone_and_paper_has_all_of_it(show, everything):
    page = show(everything)
    page.set_viewport_size({"width": 320, "height": 640})
    page.get_by_role("button", name="Open all").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.get_by_role("button", name="Close all").click()
    page.emulate_media(media="print")
    assert row(page, MODULE).locator(".compare").first.bounding_box()["height"] > 0
    expect(page.get_by_role("searchbox")).to_have_count(0)


def test_a_thousand_changes_are_filtered_between_two_blinks(show, tmp_path):
    page = show(saved(tmp_path, html_plans.large(1000)))
    expect(page.get_by_role("region", name="Picture")).to_contain_text("too large for one picture")
    assert page.locator(".node").count() < 80
    times = {}
    for wanted, hits in (("flow 01", 254), ("01632900021", 4), ("", 1000)):
        for _ in range(3):
            page.evaluate(_TYPE, "module")
            seconds = page.evaluate(_TYPE, wanted)
            times[wanted] = min(seconds, times.get(wanted, seconds))
        assert page.locator(".entry:not([hidden])").count() == hits
    assert max(times.values()) < 200, times


_TYPE = """async text => {
    const frame = () => new Promise(done => requestAnimationFrame(() => {
        const channel = new MessageChannel();
        channel.port1.onmessage = done;
        channel.port2.postMessage(0);
    }));
    const field = document.getElementById("search");
    await frame();
    const begin = performance.now();
    field.value = text;
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
    await frame();
    return performance.now() - begin;
}"""
"""Milliseconds from the input event until the frame that shows its effect is painted."""
