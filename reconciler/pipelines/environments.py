"""Which environments there are, and which of them a change concerns."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from reconciler.pipelines.running import log
from reconciler.problems import ReconcilerError, SpecError
from reconciler.specs import GitError, WorkingTree, environment_names, load_environment
from reconciler.specs.git import run_git

FOLDER = "environments"
SPECS = ("flows/", "shared/")


def every_environment() -> list[str]:
    """All environments, by name.

    Raises:
        ReconcilerError: this is no folder of specs.
    """
    if not Path(FOLDER).is_dir():
        raise ReconcilerError(
            f"There is no folder {FOLDER}/ in {Path.cwd()}.",
            remedy="Set working-directory to the folder that holds environments/, and check out the repository first.",
        )
    return environment_names(WorkingTree(Path.cwd()))


def concerned(base: str | None) -> list[str]:
    """Environments of real orgs that differ between a revision and what is checked out; all, where there is none.

    A sandbox org is empty on every new machine, so that there is nothing to plan against. An environment that cannot
    be read is among them, because its plan tells what is wrong.
    """
    changed = _changed(base) if base else None
    return [name for name in every_environment() if _is_concerned(name, changed)]


def _is_concerned(name: str, changed: list[str] | None) -> bool:
    try:
        environment = load_environment(WorkingTree(Path.cwd()), name)
    except SpecError:
        return True
    if environment.org.sandbox is not None:
        return False
    if changed is None:
        return True
    # By name: a file that is gone, or has the other ending now, counts as well.
    own = {PurePosixPath(path).stem for path in environment.files}
    touched = {PurePosixPath(path).stem for path in changed if path.startswith(f"{FOLDER}/")}
    # What holds to a release is not reached by a change of the specs.
    specs = environment.release is None and any(path.startswith(SPECS) for path in changed)
    return specs or bool(own & touched)


def _changed(base: str) -> list[str] | None:
    """Files that differ from where the base was left, from this folder on; None where Git does not know the base."""
    try:
        listing = run_git(
            Path.cwd(), ["diff", "--name-only", "--relative", "-z", "--no-renames", f"{base}...HEAD", "--"]
        )
    except GitError as error:
        log(f"Git cannot compare with {base}, so every environment is taken: {error.message}")
        return None
    return [path for path in listing.decode("utf-8", "surrogateescape").split("\0") if path]
