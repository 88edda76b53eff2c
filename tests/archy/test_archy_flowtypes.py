from reconciler.archy.flowtypes import FLOW_TYPES, ROOTS, by_api_type, by_root, by_tracking_type


def test_every_name_of_a_type_leads_to_it() -> None:
    for flow_type in FLOW_TYPES:
        for root in (flow_type.root, *flow_type.aliases):
            assert by_root(root) is flow_type
            assert root in ROOTS
        assert by_api_type(flow_type.api_type.lower()) is flow_type
        assert by_tracking_type(flow_type.tracking_type) is flow_type


def test_names_are_unambiguous() -> None:
    assert len(ROOTS) == len(set(ROOTS))
    assert len({flow_type.api_type for flow_type in FLOW_TYPES}) == len(FLOW_TYPES)
    assert len({flow_type.tracking_type for flow_type in FLOW_TYPES}) == len(FLOW_TYPES)


def test_names_that_differ_from_the_rule() -> None:
    bot, digital_bot, workflow = by_root("bot"), by_root("digitalBotFlow"), by_root("workflow")
    assert bot
    assert digital_bot
    assert workflow
    assert (bot.root, bot.api_type, bot.tracking_type) == ("botFlow", "BOT", "BOTFLOW")
    assert (digital_bot.root, digital_bot.api_type) == ("digitalBot", "DIGITALBOT")
    assert workflow.tracking_type == "WORKFLOW"


def test_what_is_no_flow() -> None:
    assert by_root("ivr") is None
    assert by_api_type("BUSINESSPROCESS") is None
    assert by_tracking_type("QUEUE") is None


def test_roots_of_real_flows_are_known(corpus: dict[str, dict[str, object]]) -> None:
    for name, document in corpus.items():
        (root,) = document
        flow_type = by_root(root)
        assert flow_type, name
        assert flow_type.spelling_known
