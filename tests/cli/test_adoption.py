"""Whether callers moved to what was applied, and whether they fare worse, over traffic that the sandbox makes up."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator

import pytest
from adoption_support import APPLIED, BEFORE, SINCE, applied_at, file_ledger, traffic
from support import SEED, Org, Repository, connected, flow, module

from reconciler.cli.main import run
from reconciler.sandbox import embedded

FLOWS = ("Sales", "Support", "Billing", "Few", "Closed", "Fax", "Left", "Stuck")
TWO_DAYS = ("--window", "2d")
HOSTILE = "Ticks & <b>`|@all"


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Org, Repository, str]]:
    """An org in which callers met an apply on 5 March 2024, each flow in its own way; and that run."""
    folder = tmp_path_factory.mktemp("busy")
    (folder / "seed.yaml").write_text(SEED, encoding="utf-8")
    with (
        embedded.start(folder / "org.sqlite", seed=folder / "seed.yaml") as running,
        connected(running) as org,
        pytest.MonkeyPatch.context() as patch,
    ):
        repository = Repository(folder / "repository")
        where = f"{{api_url: {org.url}, login_url: {org.url}, requests_per_minute: 1000000}}"
        repository.write("environments/test.yaml", f"org: {where}\n")
        file_ledger(repository)
        patch.setenv("GENESYSCLOUD_OAUTHCLIENT_ID", org.client_id)
        patch.setenv("GENESYSCLOUD_OAUTHCLIENT_SECRET", org.client_secret)
        patch.setenv("RECONCILER_CACHE_DIR", str(folder / "cache"))
        patch.chdir(repository.root)
        repository.write("shared/hold.yaml", module("Hold"))
        for name in FLOWS:
            holds = ("Hold",) if name in ("Sales", "Left") else ()
            repository.write(f"flows/{name}.yaml", flow(name, modules=holds))
        assert run(["apply", "--env", "test", "--auto-approve"]) == 0
        applied_at(repository, "2024-02-01T09:00:00Z")
        for name in FLOWS:
            repository.edit(f"flows/{name}.yaml", "Hello.", "Good morning.")
        repository.edit("shared/hold.yaml", "One moment", "Just a moment")
        repository.write("flows/adopted.yaml", flow("Adopted"))
        org.publish(flow("Adopted"))
        repository.write("flows/hostile.yaml", flow(json.dumps(HOSTILE)))
        assert run(["apply", "--env", "test", "--auto-approve", "--exclude", "inboundCall/Left"]) == 0
        id = applied_at(repository, APPLIED, seconds=40)
        org.publish(flow("Fax", says="By somebody else."))
        callers(org)
        yield org, repository, id


def callers(org: Org) -> None:
    """Who calls which flow when."""
    traffic(org, "Sales", "1.0", BEFORE, per_hour=40, disconnect_share=0.03)
    traffic(org, "Sales", "2.0", SINCE, per_hour=40, disconnect_share=0.09, error_share=0.01)
    traffic(org, "Support", "1.0", BEFORE, disconnect_share=0.3)
    traffic(org, "Support", "2.0", SINCE, disconnect_share=0.3)
    traffic(org, "Support", "1.0", {"from": APPLIED, "to": "2024-03-05T11:00:00Z"}, seed=9)
    traffic(org, "Billing", "1.0", BEFORE)
    traffic(org, "Billing", "1.0", SINCE, per_hour=9)
    traffic(org, "Billing", "2.0", SINCE, per_hour=11)
    traffic(org, "Few", "1.0", BEFORE)
    traffic(org, "Few", "2.0", SINCE, per_hour=0.5)
    traffic(org, "Fax", "1.0", BEFORE)
    traffic(org, "Fax", "2.0", {"from": APPLIED, "to": "2024-03-06T09:00:00Z"})
    traffic(org, "Fax", "3.0", {"from": "2024-03-06T09:00:00Z", "to": SINCE["to"]})
    traffic(org, "Stuck", "1.0", BEFORE)
    traffic(org, "Stuck", "1.0", SINCE, seed=2)
    traffic(org, "Adopted", "1.0", BEFORE)
    traffic(org, "Adopted", "1.0", SINCE, seed=2)
    traffic(org, HOSTILE, "1.0", SINCE)


def test_more_disconnects_on_the_new_version_are_told_with_figures_and_a_chart(busy, cli):
    ran = cli("adoption", "inboundCall/Sales", *TWO_DAYS)
    assert ran.code == 0
    assert ran.out == ""
    run_id = busy[2]
    lines = ran.err.splitlines()
    assert lines[0] == "Adoption in test · org Test Org"
    assert lines[1].startswith(f"  since run {run_id} by ")
    assert lines[1].endswith(", which ended 2024-03-05 09:00")
    assert lines[2:] == [
        "  2 days before against 2 days since, until 2024-03-07 09:00; times in UTC",
        "",
        "inboundCall/Sales  1.0 → 2.0",
        "  moved: all 1,927 calls since are on 2.0",
        "  clearly more disconnects: 3.5 % → 10.0 % (4.4 to 8.6 points more): the caller hung up 3.5 % → 9.0 %; "
        "an error cut the caller off 0 % → 1.0 %",
        "  clearly more flow errors: 0 % → 1.0 % (0.4 to 1.8 points more)",
        "",
        "  version              calls         disconnects         flow errors",
        "  1.0      before      1,897       67      3.5 %        0        0 %",
        "  2.0      since       1,927      193     10.0 %       19      1.0 %",
        "",
        "  on 2.0  ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁│████████████████████████  latest 100 %",
        "  calls   ▇▇▇▆▆▅▆▇▆▆▇▆▇▆▇▆▇▆▇▅▆▇▆▇│▆▇▅▆▆▆▆▆▆▆▇▇▇▆▇▆▇▆▇█▇▆▆▆  at most 49 an hour",
        "          03 Mar 08:59      05 Mar 09:00       07 Mar 09:00",
    ]


def test_programs_get_the_same_with_every_count(busy, cli):
    report = cli("adoption", *TWO_DAYS, "--format", "json").json
    assert report["format_version"] == "1"
    assert report["since"]["run"] == busy[2]
    assert report["windows"] == {
        "before": {"start": "2024-03-03T08:59:20Z", "end": "2024-03-05T08:59:20Z"},
        "after": {"start": "2024-03-05T09:00:00Z", "end": "2024-03-07T09:00:00Z"},
        "granularity": "PT2H",
        "cut_at_now": False,
    }
    flows = {one["address"].partition("/")[2]: one for one in report["flows"]}
    assert {name: one["move"] for name, one in flows.items()} == {
        "Sales": "moved",
        "Support": "moved",
        "Billing": "moving",
        "Few": "moved",
        "Closed": "no-traffic",
        "Fax": "superseded",
        "Stuck": "not-moved",
        "Adopted": "unchanged",
        HOSTILE: "moved",
    }
    since = traffic(busy[0], "Sales", "2.0", SINCE, per_hour=40, disconnect_share=0.09, error_share=0.01)
    sales = flows["Sales"]
    assert sales["after"]["conversations"] == sales["on_new"]["ended"] == since, "made again, not twice"
    assert sales["previous"] == ["1.0"]
    assert sales["disconnects"]["verdict"] == "clearly-more"
    for side in ("before", "after"):
        assert sum(step["conversations"] for step in sales[f"steps_{side}"]) == sales[side]["conversations"]
    assert sum(sales["after"]["exits"].values()) == sales["after"]["ended"]
    assert report["flows"][0]["address"] == "inboundCall/Sales"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Support", "moved: the latest calls are all on 2.0, 96.0 % of 1,010 calls since"),
        (
            "Billing",
            "still moving: of the latest calls, 54.3 % are on 2.0 (56.1 % of 958 calls since), the others on 1.0",
        ),
        (
            "Few",
            "disconnects: too few calls to tell, 106 of 1,008 before and 1 of 22 since (100 on each side are enough)",
        ),
        ("Closed", "no calls before nor since"),
        ("Fax", "somebody else has published 3.0: none of the latest calls are on 2.0, 48.1 % of 959 calls since"),
        ("Stuck", "not moved: all 983 calls since are on 1.0, none on 2.0"),
        ("Adopted", "no new version: 1.0 answered before as well, and all 1,001 calls since"),
        (
            HOSTILE.replace("*", "?"),
            "all 935 calls since are on 1.0; there were none before\n  disconnects: 10.6 %; no calls before to compare",
        ),
    ],
)
def test_each_way_that_callers_can_take_is_told_in_words(busy, cli, name, said):
    ran = cli("adoption", f"inboundCall/{name}", *TWO_DAYS)
    assert ran.code == 0
    assert said in ran.err


def test_several_flows_begin_with_what_matters_and_end_with_what_does_not(busy, cli):
    lines = cli("adoption", *TWO_DAYS).err.splitlines()
    assert "  1 flow with clearly more disconnects: inboundCall/Sales" in lines
    assert (
        "  4 of 9 flows moved to the new version, 1 still moving, 1 not moved, 1 without calls since, "
        "1 on a newer version that somebody else published, 1 on the same version as before" in lines
    )
    heads = [line.split("  ")[0] for line in lines if line.startswith(("inboundCall/", "commonModule/"))]
    assert heads[:4] == ["inboundCall/Sales", "inboundCall/Billing", "inboundCall/Fax", "inboundCall/Stuck"]
    assert any(line.startswith("inboundCall/Few") and "too few to tell" in line for line in lines)
    assert lines[-1] == "1 other flow was not applied since; name it to see it."


def test_a_module_is_told_by_the_flows_that_hold_it_and_by_those_that_still_hold_the_old_one(busy, cli):
    ran = cli("adoption", "commonModule/Hold", *TWO_DAYS)
    assert "has no calls of its own. These flows stand for it:" in ran.err
    assert "inboundCall/Left   still holds 1.0: it was not published since" in ran.err
    assert "inboundCall/Sales  holds 2.0" in ran.err
    assert "clearly more disconnects" in ran.err
    (told,) = cli("adoption", "commonModule/*", *TWO_DAYS, "--format", "json").json["modules"]
    assert told["consumers"] == [
        {"address": "inboundCall/Left", "holds": "1.0", "through": None},
        {"address": "inboundCall/Sales", "holds": "2.0", "through": None},
    ]


def test_moments_are_those_of_the_time_zone(busy, cli):
    zone = ("--time-zone", "America/New_York")
    assert "which ended 2024-03-05 04:00" in cli("adoption", *zone).err
    report = cli("adoption", "--since", "2024-03-04", *zone, *TWO_DAYS, "--format", "json").json
    assert report["since"]["start"] == "2024-03-04T05:00:00Z"
    assert report["since"]["run"] is None


def test_a_run_of_history_can_be_named_and_what_was_applied_since_is_told(busy, cli):
    first = cli("history", "--format", "json").json[-1]["run"]
    report = cli("adoption", "--since", first, *TWO_DAYS, "--format", "json").json
    assert report["since"]["end"] == "2024-02-01T09:00:00Z"
    assert {one["address"] for one in report["flows"]} >= {"inboundCall/Left", "inboundCall/Sales"}


def test_a_flow_applied_in_the_midst_of_the_time_is_held_against_its_older_version(busy, cli):
    ran = cli("adoption", "inboundCall/Sales", "--since", "2024-03-01", "--window", "7d")
    assert "inboundCall/Sales  1.0 → 2.0" in ran.err
    assert "clearly more disconnects: 3.5 % → 10.0 %" in ran.err
    assert "moved: the latest calls are all on 2.0, 50.4 % of 3,825 calls since" in ran.err


def test_a_flow_applied_after_the_time_that_is_compared_is_not_said_to_be_stuck(busy, cli):
    ran = cli("adoption", "inboundCall/Sales", "--since", "2024-03-03", *TWO_DAYS)
    assert "2.0 was applied at 2024-03-05 09:00, after the time that is compared" in ran.err
    assert "not moved" not in ran.err


def test_a_duration_reaches_back_from_now_and_both_windows_are_that_long(busy, cli):
    report = cli("adoption", "inboundCall/Sales", "--since", "1d12h", "--format", "json").json
    assert report["windows"]["cut_at_now"] is True
    assert report["windows"]["granularity"] == "PT2H"
    assert report["flows"][0]["move"] == "no-traffic"
    ran = cli("adoption", "--since", "1d12h")
    assert "1 day 12 hours before against 1 day 12 hours since, until now" in ran.err
    assert "No flow was applied to test since; `reconciler history` lists the applies." in ran.err


def test_a_terminal_without_block_characters_gets_ascii(busy, cli, monkeypatch):
    monkeypatch.setattr("rich.console.Console.encoding", "ascii")
    ran = cli("adoption", "inboundCall/Sales", *TWO_DAYS)
    assert ran.err.isascii()
    assert f"  on 2.0  {'_' * 24}|{'#' * 24}  latest 100 %" in ran.err
    assert "inboundCall/Sales  1.0 -> 2.0" in ran.err
    assert "\x1b" not in ran.err


def test_markdown_holds_tables_and_charts_and_no_name_makes_markup(busy, cli):
    text = cli("adoption", *TWO_DAYS, "--format", "markdown").out
    assert "| inboundCall/Sales | 1.0 → 2.0 | 1,927 | 100 % | 3.5 % → 10.0 %, more | 0 % → 1.0 %, more |" in text
    assert "on 2.0  ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁│████████████████████████\n" in text
    assert "@all" not in text
    assert "inboundCall/Ticks & \\<b\\>\\`\\|@&#8203;all" in text


def test_the_page_is_one_file_that_loads_nothing_and_escapes_every_name(busy, cli):
    page = cli("adoption", *TWO_DAYS, "--format", "html").out
    assert page.isascii()
    assert "<b>`" not in page
    assert html.escape(HOSTILE) in page
    assert "default-src 'none'; style-src 'sha256-" in html.unescape(page)
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
    assert page.count('<section id="flow-') == 9
    assert "clearly more disconnects: 3.5 % &#8594; 10.0 %" in page


@pytest.mark.parametrize(
    ("arguments", "message", "remedy"),
    [
        (("--since", "yesterday"), "--since 'yesterday' is no date", "a duration like `2d`"),
        (("--since", "2124-01-01"), "lies in the future", "in the past"),
        (("--since", "0001-01-01"), "lies too far back", "Write"),
        (("--since", "9999w"), "lies too far back", "Write"),
        (("--window", "0d"), "'0d' is not a duration", "Write one like 90m"),
        (("--time-zone", "Europe/Copenhagn"), "is not a time zone", "Did you mean `Europe/Copenhagen`"),
        (("inboundCall/Saels",), "No flow inboundCall/Saels was ever applied to test", "`inboundCall/Sales`"),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_write(busy, cli, arguments, message, remedy):
    ran = cli("adoption", *arguments)
    assert ran.code == 1
    assert message in ran.err
    assert remedy in ran.err
    told = cli("adoption", *arguments, "--format", "json")
    assert message in told.json["error"]
