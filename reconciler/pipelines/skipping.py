"""What a step does not do: ask an org for a fork, or plan an environment that the change does not concern."""

from __future__ import annotations

import json

from reconciler.pipelines.forges import Forge, Post, own_comments
from reconciler.pipelines.running import log
from reconciler.pipelines.settings import Settings
from reconciler.pipelines.surroundings import Surroundings
from reconciler.pipelines.telling import marker, note, output, signed, summary
from reconciler.problems import ReconcilerError

_BEGINNING, _END = marker("plan", "|").split("|")


def environments(settings: Settings) -> int:
    """Writes the list for the jobs that follow, and takes back comments about environments no longer concerned."""
    if skipped(settings.around):
        output("environments", "[]")
        return 0
    names = _concerned(settings.around)
    output("environments", json.dumps(names))
    log(f"Environments concerned: {', '.join(names) or 'none'}.")
    summary(f"Environments concerned: {', '.join(f'`{name}`' for name in names) or 'none'}.\n")
    if settings.comment and settings.around.change is not None:
        forge = settings.around.open(settings.token)
        for post in own_comments(forge, _BEGINNING):
            if _environment(post) not in names:
                _take_back(settings, forge, post)
    return 0


def not_concerned(settings: Settings) -> bool:
    """Whether only changed environments are wanted, and the change leaves this one as it is; then says so."""
    around, name = settings.around, settings.environment
    if not settings.only_changed or around.base is None or name in _concerned(around):
        return False
    log(f"This {around.change_word} does not change {name}.")
    output("skipped", True)
    if settings.comment and around.change is not None:
        forge = around.open(settings.token)
        for post in own_comments(forge, marker("plan", name)):
            _take_back(settings, forge, post)
    return True


def skipped(around: Surroundings) -> bool:
    """Whether nothing can be asked of an org here, which is then said: changes from forks get no credentials.

    Raises:
        ReconcilerError: the workflow hands secrets to what strangers wrote.
    """
    if around.event == "pull_request_target":
        raise ReconcilerError(
            "This workflow runs on pull_request_target, which gives secrets to code of strangers.",
            remedy="Use pull_request.",
        )
    if around.from_fork:
        text = (
            f"This {around.change_word} comes from a fork, and forks get no credentials of an org: nothing is "
            "planned. The specs are validated all the same. Somebody with write access can push the branch to this "
            "repository to see the plan."
        )
        note("notice", text)
        summary(text + "\n")
    output("skipped", around.from_fork)
    return around.from_fork


def _concerned(around: Surroundings) -> list[str]:
    # Reading environments is slow to load, and most steps know theirs.
    from reconciler.pipelines.environments import concerned

    return concerned(around.base)


def _take_back(settings: Settings, forge: Forge, post: Post) -> None:
    """A plan that the change no longer makes must not stay and mislead."""
    name = _environment(post)
    text = f"{marker('plan', name)}\nThis {settings.around.change_word} no longer changes `{name}`."
    if not post.body.lstrip().startswith(text):
        forge.edit_comment(post, signed(text, settings.around.footer, forge.longest))


def _environment(post: Post) -> str:
    """Whose plan a comment shows."""
    return post.body.lstrip().split("\n", 1)[0].strip().removeprefix(_BEGINNING).removesuffix(_END)
