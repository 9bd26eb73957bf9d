"""The GitHub recipe, run as whole workflows over two accounts: from a pull request to its apply, and drift."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from aws import Endpoint
from command import DONE, ERROR, STALE, Keywright
from furnished import client
from fake_gh import served
from hub import PROD, STAGING, Hub, Run, secret
from recipes import CI, REPOSITORY

ACCOUNTS = {"staging": STAGING, "prod": PROD}


@pytest.fixture
def hub(keywright: Keywright, sandbox: Endpoint, tmp_path: Path) -> Iterator[Hub]:
    hub = Hub(keywright, sandbox, tmp_path / "hub")
    with served(hub.github.file, REPOSITORY) as gh:
        hub.program("gh", gh)
        yield hub


def live(hub: Hub, target: str) -> dict[str, str]:
    """The descriptions of what is live, by the last part of the name."""
    found = client(hub.endpoint, ACCOUNTS[target]).list_secrets()["SecretList"]
    return {secret["Name"].removeprefix(f"{target}/shop/"): secret["Description"] for secret in found}


def by_somebody_else(hub: Hub, target: str, name: str, description: str) -> None:
    """A secret of the project is described otherwise, by hand."""
    client(hub.endpoint, ACCOUNTS[target]).update_secret(SecretId=f"{target}/shop/{name}", Description=description)


@pytest.fixture
def begun(hub: Hub) -> Hub:
    """The same with one secret that is live in both accounts; main is applied."""
    hub.git("checkout", "--quiet", "main")
    hub.commit("first", db=secret("db", "The database"))
    hub.push()
    hub.apply_at_once()
    assert live(hub, "staging") == live(hub, "prod") == {"db": "The database"}
    return hub


def comments(hub: Hub, number: int) -> dict[str, str]:
    """The bodies of the comments of a pull request, by target."""
    known = hub.github.read()["comments"].get(str(number), [])
    return {comment["body"].split()[3]: comment["body"] for comment in known if comment["user"]["login"] != "mallory"}


def journal(hub: Hub, target: str) -> list[dict[str, Any]]:
    """The lines of the last journal of a target."""
    kept = [a for a in hub.github.read()["artifacts"] if a["name"].startswith(f"keywright-applied-{target}-")]
    return [json.loads(line) for line in (Path(kept[-1]["folder"]) / "journal.jsonl").read_text().splitlines()]


def refused_as_not_approved(run: Run) -> None:
    assert run.codes("canary") == {"staging": STALE} and "not what was approved" in run.log, run.log


# What pull requests show


def test_each_target_has_a_comment_that_is_updated_in_place(begun: Hub) -> None:
    marker = "<!-- keywright:plan shop staging -->"
    mallory = {"id": 1, "user": {"login": "mallory"}, "body": f"{marker}\nmine"}
    begun.github.write(comments={"2": [mallory]})
    begun.open(2, "cache", cache=secret("cache", "The cache"))
    assert begun.planned(2).results["result"] == "success"
    first = begun.github.read()["comments"]["2"]
    assert first[0] == mallory and len(first) == 3
    assert "`staging/shop/cache`" in comments(begun, 2)["staging"] and "`prod/shop/cache`" in comments(begun, 2)["prod"]
    assert PROD not in comments(begun, 2)["staging"] and STAGING not in comments(begun, 2)["prod"]
    begun.change(2, "queue", queue=secret("queue", "The queue"))
    assert begun.planned(2).results["result"] == "success"
    second = begun.github.read()["comments"]["2"]
    assert [comment["id"] for comment in second] == [comment["id"] for comment in first] and second[0] == mallory
    assert "prod/shop/queue" in comments(begun, 2)["prod"]


def test_a_fork_gets_neither_credentials_nor_variables_nor_a_comment(begun: Hub) -> None:
    begun.open(2, "from a fork", cache=secret("cache", "The cache"))
    run = begun.planned(2, fork=True)
    assert run.results == {"validate": "success", "targets": "skipped", "plan": "skipped", "show": "skipped", "result": "success"}
    # In the log, and called what it is: the summary is for plans of accounts.
    assert "staging/shop/cache" in run.log and "SANDBOX" in run.log
    assert comments(begun, 2) == {} and not (begun.folder / f"summary-{run.id}.md").exists()
    begun.change(2, "broken", db="kind: Secret\n")
    run = begun.planned(2, fork=True)
    assert run.results["result"] == "failure" and "::error file=secrets/db.yaml" in run.log, run.log


def test_a_merge_queue_gets_its_check_without_credentials(begun: Hub) -> None:
    ref = "refs/heads/gh-readonly-queue/main/pr-2"
    begun.git("push", "--quiet", "origin", f"main:{ref}")
    head = begun.git("rev-parse", "main")
    run = begun.start("keywright-pull-request.yml", {"event_name": "merge_group", "ref": ref, "sha": head, "event": {}}, head)
    assert run.results["validate"] == run.results["result"] == "success" and run.results["plan"] == "skipped"


def test_a_target_that_is_down_hides_no_other(begun: Hub) -> None:
    begun.open(2, "cache", cache=secret("cache", "The cache"))
    begun.down = {PROD}
    run = begun.planned(2)
    assert run.codes("plan") == {"staging": DONE, "prod": ERROR} and run.results["result"] == "failure"
    assert "`staging/shop/cache`" in comments(begun, 2)["staging"] and "NOT PLANNED" in comments(begun, 2)["prod"]
    summary = (begun.folder / f"summary-{run.id}.md").read_text()
    assert f"| staging | {STAGING} | eu-west-1 | done |" in summary and f"| prod | {PROD} | eu-west-1 | failed |" in summary


# What merges apply


def test_the_first_pull_request_of_a_repository(hub: Hub) -> None:
    hub.open(1, "first", db=secret("db", "The database"))
    assert hub.planned(1).results["result"] == "success"
    hub.review(1)
    merged = hub.merge(1)
    run = hub.pushed()
    assert run.results["summary"] == "success", run.log
    assert live(hub, "staging") == live(hub, "prod") == {"db": "The database"}
    assert hub.statuses(merged, "staging") == hub.statuses(merged, "prod") == ["pending", "success"]


def test_a_merge_applies_what_was_approved_to_each_account(begun: Hub) -> None:
    begun.approved(2, "cache", cache=secret("cache", "The cache"))
    merged = begun.merge(2)
    run = begun.pushed()
    assert run.codes("canary") == {"staging": DONE} and run.codes("rest") == {"prod": DONE}, run.log
    for target in ACCOUNTS:
        assert live(begun, target) == {"db": "The database", "cache": "The cache"}
        assert begun.statuses(merged, target) == ["pending", "success"]
        [line] = journal(begun, target)
        assert (line["target"], line["operation"]) == (target, "CreateSecret") and "guardOverrides" not in line
    # Again, as somebody who presses "re-run" does.
    run.again("canary", "rest")
    assert run.results["summary"] == "success" and "everything that was merged is applied" in run.log, run.log
    assert begun.statuses(merged, "prod") == ["pending", "success"]


@pytest.mark.parametrize(
    ("how", "runs"),
    [("merge", [0, 1, 2]), ("merge", [0, 2]), ("squash", [2]), ("rebase", [2, 1, 0])],
    ids=["in-order", "one-cancelled", "two-cancelled", "reversed"],
)
def test_three_quick_merges_are_all_applied(begun: Hub, runs: list[int], how: str) -> None:
    """Whatever became of the runs of the others: GitHub promises no order, and somebody may cancel one."""
    for number in (2, 3, 4):
        begun.approved(number, f"change {number}", **{f"s{number}": secret(f"s{number}", f"Number {number}")})
    merges = [begun.merge(number, how) for number in (2, 3, 4)]
    for at in runs:
        run = begun.pushed(merges[at])
        assert run.results["summary"] == "success", run.log
    expected = {"db": "The database", "s2": "Number 2", "s3": "Number 3", "s4": "Number 4"}
    assert live(begun, "staging") == live(begun, "prod") == expected
    # Each by its own plan, once, in the order of the merges.
    for commit in merges:
        assert begun.statuses(commit, "prod") == ["pending", "success"]


def test_a_merge_that_contains_the_ones_before_it_is_applied_at_once(begun: Hub) -> None:
    begun.approved(2, "cache", cache=secret("cache", "The cache"))
    first = begun.merge(2)
    # Planned when the other was merged and not applied: it shows both, and its approval is for both.
    begun.approved(3, "queue", queue=secret("queue", "The queue"), cache=secret("cache", "The new cache"))
    second = begun.merge(3)
    assert begun.pushed(second).results["summary"] == "success"
    assert live(begun, "prod") == {"db": "The database", "cache": "The new cache", "queue": "The queue"}
    assert begun.statuses(first, "prod") == [] and begun.statuses(second, "prod") == ["pending", "success"]
    # The run of the first, late: it puts nothing back.
    run = begun.pushed(first)
    assert run.results["summary"] == "success" and live(begun, "prod")["cache"] == "The new cache", run.log


def test_a_plan_that_held_more_applies_what_is_left_of_it(begun: Hub) -> None:
    begun.approved(2, "cache", cache=secret("cache", "The cache"))
    begun.merge(2)
    # Planned before the apply of the other, and merged after it.
    begun.approved(3, "queue", queue=secret("queue", "The queue"))
    assert begun.pushed().results["summary"] == "success"
    begun.merge(3)
    run = begun.pushed()
    assert run.results["summary"] == "success" and live(begun, "prod")["queue"] == "The queue", run.log


def test_what_is_held_back_does_not_count_as_applied(begun: Hub) -> None:
    """A rotation is in flight: nothing of the new value is in the plan, and the merge must not be forgotten for that."""
    sm = client(begun.endpoint, ACCOUNTS["prod"])
    sm.put_secret_value(SecretId="prod/shop/db", SecretString="before")
    sm.put_secret_value(SecretId="prod/shop/db", SecretString="pending", VersionStages=["AWSPENDING"], ClientRequestToken="p" * 32)
    with_value = secret("db", "The database").replace("The database }", "The database, value: { text: planted } }")
    begun.approved(2, "value", db=with_value)
    merge = begun.merge(2)
    run = begun.pushed(merge)
    assert run.codes("rest")["prod"] == 5 and "held back" in run.log, run.log
    assert begun.statuses(merge, "prod") == ["pending", "failure"] and begun.statuses(merge, "staging")[-1] == "success"
    # When it is over, the value is a change that was not in the approved plan: it waits, and is said to.
    sm.update_secret_version_stage(SecretId="prod/shop/db", VersionStage="AWSPENDING", RemoveFromVersionId="p" * 32)
    run = begun.pushed(merge)
    assert run.codes("rest")["prod"] == 4 and "PutSecretValue" in run.log, run.log


def test_a_rebased_pull_request_is_one_change(begun: Hub) -> None:
    begun.open(2, "cache", cache=secret("cache", "The cache"))
    begun.change(2, "queue", queue=secret("queue", "The queue"))
    begun.change(2, "last, and not of the project", files={"README.md": "text"})
    assert begun.planned(2).results["result"] == "success"
    begun.review(2)
    begun.approved(3, "elsewhere", files={"docs/a.md": "text"})
    begun.merge(3)
    merged = begun.merge(2, "rebase")
    run = begun.pushed()
    assert run.results["summary"] == "success", run.log
    assert live(begun, "prod") == {"db": "The database", "cache": "The cache", "queue": "The queue"}
    assert begun.statuses(merged, "prod") == ["pending", "success"]


def test_what_was_reverted_before_it_was_applied_is_never_applied(begun: Hub) -> None:
    begun.approved(2, "new text", db=secret("db", "Another text"))
    begun.merge(2)
    begun.approved(3, "revert", db=secret("db", "The database"))
    begun.merge(3)
    begun.github.write(calls=[])
    assert begun.pushed().results["summary"] == "success"
    assert live(begun, "prod") == {"db": "The database"}


def test_an_approved_plan_that_no_longer_fits_is_not_applied_and_stays_to_be_done(begun: Hub) -> None:
    begun.approved(2, "new text", db=secret("db", "New"))
    by_somebody_else(begun, "staging", "db", "By hand meanwhile")
    merged = begun.merge(2)
    run = begun.pushed()
    refused_as_not_approved(run)
    assert "By hand meanwhile" in run.log and live(begun, "staging") == {"db": "By hand meanwhile"}
    # The canary holds the others back, and the table says so.
    assert run.results["rest"] == "skipped" and run.results["summary"] == "failure"
    assert f"| prod | {PROD} | eu-west-1 | **did not run** |" in (begun.folder / f"summary-{run.id}.md").read_text()
    assert begun.statuses(merged, "staging") == ["error"]
    # Nor by running it again. By hand it is planned afresh, and shown to the reviewers of the environment.
    refused_as_not_approved(run.again())
    run = begun.by_hand()
    assert "approval" not in run.results and live(begun, "prod") == {"db": "The database"}
    begun.approve_environment(run)
    assert run.results["summary"] == "success", run.log
    assert live(begun, "staging") == live(begun, "prod") == {"db": "New"}
    assert begun.statuses(merged, "staging")[-1] == "success"


def test_one_target_that_is_down_is_applied_when_it_is_back(begun: Hub) -> None:
    for number in (2, 3):
        begun.approved(number, f"change {number}", **{f"s{number}": secret(f"s{number}", f"Number {number}")})
    begun.merge(2)
    begun.down = {PROD}
    run = begun.pushed()
    assert run.codes("canary") == {"staging": DONE} and run.codes("rest") == {"prod": ERROR}, run.log
    begun.merge(3)
    begun.down = set()
    # The next merge brings along what was left.
    assert begun.pushed().results["summary"] == "success"
    assert live(begun, "staging") == live(begun, "prod") == {"db": "The database", "s2": "Number 2", "s3": "Number 3"}


def test_a_canary_that_is_down_holds_the_others_back(begun: Hub) -> None:
    begun.approved(2, "cache", cache=secret("cache", "The cache"))
    begun.merge(2)
    begun.down = {STAGING}
    run = begun.pushed()
    assert run.codes("canary") == {"staging": ERROR} and run.results["rest"] == "skipped", run.log
    assert live(begun, "prod") == {"db": "The database"}
    begun.down = set()
    assert run.again().results["summary"] == "success"
    assert live(begun, "prod") == {"db": "The database", "cache": "The cache"}


def test_an_older_commit_is_never_applied_again(begun: Hub) -> None:
    runs = []
    for number, text in [(2, "Two"), (3, "Three"), (4, "Two")]:
        begun.approved(number, text, db=secret("db", text))
        begun.merge(number)
        runs.append(begun.pushed())
        assert runs[-1].results["summary"] == "success", runs[-1].log
    # The approved plan of the second fits once more: from "Two" to "Three".
    assert live(begun, "prod") == {"db": "Two"}
    runs[1].again("canary", "rest")
    assert live(begun, "staging") == live(begun, "prod") == {"db": "Two"}, runs[1].log


# What counts as approved


def test_a_run_again_cannot_swap_the_approved_plan(begun: Hub) -> None:
    begun.approved(2, "cache", cache=secret("cache", "The cache"))
    # After the approval something else would be done, and the workflow is run again: its comment shows that.
    by_somebody_else(begun, "staging", "db", "By hand")
    run = begun.planned(2)
    assert run.results["result"] == "success" and "By hand" in comments(begun, 2)["staging"]
    # The approval was for another plan and is taken back.
    [review] = begun.github.read()["reviews"]["2"]
    assert review["state"] == "DISMISSED"
    begun.merge(2)
    refused_as_not_approved(begun.pushed())
    assert live(begun, "staging") == {"db": "By hand"}


def test_a_plan_after_the_approval_is_approved_by_nobody_even_if_the_approval_stays(begun: Hub) -> None:
    begun.approved(2, "cache", cache=secret("cache", "The cache"))
    by_somebody_else(begun, "staging", "db", "By hand")
    begun.planned(2)
    # As if it could not be dismissed.
    [review] = begun.github.read()["reviews"]["2"]
    begun.github.write(reviews={"2": [review | {"state": "APPROVED"}]})
    begun.merge(2)
    run = begun.pushed()
    refused_as_not_approved(run)
    assert "another one was shown after the approval" in run.log


def test_two_plans_of_one_commit_leave_nothing_to_approve_but_a_new_commit(begun: Hub) -> None:
    begun.approved(2, "cache", cache=secret("cache", "The cache"))
    by_somebody_else(begun, "staging", "db", "By hand")
    begun.planned(2)
    begun.review(2)
    begun.merge(2)
    run = begun.pushed()
    refused_as_not_approved(run)
    assert "more than one was shown for its last commit" in run.log
    assert live(begun, "staging") == {"db": "By hand"}


def test_a_plan_that_another_pull_request_shows_for_the_same_commit_is_not_taken_for_the_approved_one(begun: Hub) -> None:
    """As if a branch with a workflow of its own had been planned with the same commit, and had used this one's number."""
    begun.approved(2, "cache", cache=secret("cache", "The cache"))
    github = begun.github.read()
    shown = [artifact for artifact in github["artifacts"] if artifact["name"].startswith("keywright-shown-2")]
    for kept in shown:
        folder = Path(kept["folder"] + "-forged")
        shutil.copytree(kept["folder"], folder)
        for file in folder.glob("*/approved.json"):
            plan = json.loads(file.read_text())
            file.write_text(json.dumps(plan | {"fingerprint": "sha256:forged"}))
        forged = kept | {"name": kept["name"] + "0", "folder": str(folder)}
        github["artifacts"].append(forged)
    begun.github.write(artifacts=github["artifacts"])
    begun.merge(2)
    run = begun.pushed()
    refused_as_not_approved(run)
    assert "more than one was shown for its last commit" in run.log, run.log


def test_the_same_plan_again_keeps_its_approval(begun: Hub) -> None:
    begun.approved(2, "cache", cache=secret("cache", "The cache"))
    run = begun.planned(2)
    assert run.results["result"] == "success" and "shown before" in run.log
    run.again("plan")
    begun.merge(2)
    # And one that is made after the merge says nothing of what was approved.
    pushed = begun.pushed()
    assert pushed.results["canary"] == "success", pushed.log
    begun.planned(2)
    assert begun.pushed().results["summary"] == "success"
    assert live(begun, "prod") == {"db": "The database", "cache": "The cache"}


@pytest.mark.parametrize(
    "approval",
    ["none", "of an older commit", "by a stranger", "taken back", "with changes requested later", "after the merge"],
)
def test_what_nobody_approved_is_not_applied(begun: Hub, approval: str) -> None:
    first = begun.open(2, "cache", cache=secret("cache", "The cache"))
    assert begun.planned(2).results["result"] == "success"
    match approval:
        case "of an older commit":
            begun.change(2, "more", queue=secret("queue", "The queue"))
            begun.planned(2)
            begun.review(2, commit=first)
        case "by a stranger":
            begun.review(2, permission="read")
        case "taken back":
            begun.review(2, state="DISMISSED")
        case "with changes requested later":
            begun.review(2)
            begun.review(2, state="CHANGES_REQUESTED")
            begun.review(2, state="COMMENTED")
    begun.merge(2)
    if approval == "after the merge":
        begun.review(2)
    run = begun.pushed()
    refused_as_not_approved(run)
    assert "nobody who may write approved" in run.log and live(begun, "staging") == {"db": "The database"}


def test_a_pull_request_that_changes_the_recipes_approves_no_plan(begun: Hub) -> None:
    begun.approved(2, "both", files={".github/workflows/other.yml": "on: push\n"}, cache=secret("cache", "The cache"))
    begun.merge(2)
    run = begun.pushed()
    refused_as_not_approved(run)
    assert "changes .github" in run.log


@pytest.mark.parametrize("origin", ["a fork", "another workflow", "another event"])
def test_only_artifacts_of_the_workflow_itself_count(begun: Hub, origin: str) -> None:
    begun.approved(2, "cache", cache=secret("cache", "The cache"))
    known = begun.github.read()["runs"]
    other = {
        "a fork": {"head_repository": {"id": 2}},
        "another workflow": {"path": ".github/workflows/other.yml"},
        "another event": {"event": "push"},
    }[origin]
    begun.github.write(runs=[*known[:-1], known[-1] | other])
    begun.merge(2)
    run = begun.pushed()
    refused_as_not_approved(run)
    assert "no plan was shown before the approval" in run.log


def test_a_push_past_every_pull_request_waits_for_a_run_by_hand(begun: Hub) -> None:
    begun.git("checkout", "--quiet", "main")
    begun.commit("straight to main", cache=secret("cache", "The cache"))
    begun.push()
    refused_as_not_approved(begun.pushed())
    run = begun.approve_environment(begun.by_hand())
    assert run.results["summary"] == "success" and live(begun, "prod")["cache"] == "The cache", run.log


# By hand


def test_a_run_that_waits_for_its_reviewers_holds_nobody_up(begun: Hub) -> None:
    by_somebody_else(begun, "prod", "db", "By hand")
    waiting = begun.by_hand()
    assert waiting.results["show"] == "success" and "approval" not in waiting.results
    begun.approved(2, "cache", cache=secret("cache", "The cache"), db=secret("db", "New"))
    begun.merge(2)
    assert begun.pushed().results["summary"] == "success"
    # And is not applied over what came meanwhile.
    begun.approve_environment(waiting)
    assert waiting.codes("canary") == {"staging": STALE} and "was applied meanwhile" in waiting.log, waiting.log
    assert live(begun, "prod") == {"db": "New", "cache": "The cache"}


def test_by_hand_a_target_without_a_plan_keeps_the_others_from_nothing(begun: Hub) -> None:
    for target in ACCOUNTS:
        by_somebody_else(begun, target, "db", "By hand")
    begun.down = {PROD}
    run = begun.by_hand()
    assert run.codes("replan") == {"staging": DONE, "prod": ERROR} and "approval" not in run.results
    begun.down = set()
    begun.approve_environment(run)
    # Nobody saw a plan of the other.
    assert run.codes("canary") == {"staging": DONE} and run.codes("rest") == {"prod": STALE}, run.log
    assert live(begun, "staging") == {"db": "The database"} and live(begun, "prod") == {"db": "By hand"}


def test_planning_again_asks_the_reviewers_again(begun: Hub) -> None:
    by_somebody_else(begun, "staging", "db", "By hand")
    run = begun.approve_environment(begun.by_hand())
    assert run.results["summary"] == "success", run.log
    by_somebody_else(begun, "staging", "db", "By hand again")
    run.again("replan")
    assert "approval" not in run.results and live(begun, "staging") == {"db": "By hand again"}
    # A plan that took the place of the one that was shown, without another look at it.
    begun.approve_environment(run)
    assert run.results["canary"] == "success" and live(begun, "staging") == {"db": "The database"}
    by_somebody_else(begun, "staging", "db", "A third time")
    [plan] = [a for a in begun.github.read()["artifacts"] if a["run"] == run.id and a["name"] == "keywright-plan-staging"]
    swapped = begun.by_hand()
    [other] = [a for a in begun.github.read()["artifacts"] if a["run"] == swapped.id and a["name"] == "keywright-plan-staging"]
    Path(other["folder"], "approved.json").write_bytes(Path(plan["folder"], "approved.json").read_bytes())
    begun.approve_environment(swapped)
    assert swapped.codes("canary") == {"staging": STALE} and "no plan of this target that was shown" in swapped.log
    assert live(begun, "staging") == {"db": "A third time"}


# Drift


def issues(hub: Hub) -> list[tuple[str, str]]:
    return [(issue["state"], issue["title"]) for issue in hub.github.read()["issues"]]


def test_each_target_has_one_issue_that_is_opened_updated_and_closed(begun: Hub) -> None:
    assert begun.drift().results["issues"] == "success" and issues(begun) == []
    by_somebody_else(begun, "prod", "db", "By hand")
    run = begun.drift()
    assert run.codes("drift") == {"staging": DONE, "prod": DONE} and run.results["issues"] == "success", run.log
    assert issues(begun) == [("open", "Secrets of shop in prod drift from git")]
    [issue] = begun.github.read()["issues"]
    assert issue["labels"] == ["keywright-drift"]
    assert "- **Drifted: 1** (changed 1).\n- **Could not be looked at: 0.**" in issue["body"] and "prod/shop/db" in issue["body"]
    by_somebody_else(begun, "staging", "db", "By hand")
    begun.drift()
    assert issues(begun)[1:] == [("open", "Secrets of shop in staging drift from git")]
    by_somebody_else(begun, "prod", "db", "The database")
    begun.drift()
    assert [state for state, _ in issues(begun)] == ["closed", "open"]
    # A closed issue stays closed; the next drift is another one. Somebody else's is never touched.
    mallory = {"number": 1, "user": {"login": "mallory"}, "state": "open", "labels": ["keywright-drift"]}
    mallory |= {"title": "mine", "body": "<!-- keywright:drift shop prod -->\n"}
    # One whose author is gone, and whose text looks like an author and a marker.
    gone = mallory | {"number": 2, "user": None, "body": "github-actions[bot]\t<!-- keywright:drift shop prod -->\n"}
    begun.github.write(issues=[*begun.github.read()["issues"], mallory, gone])
    by_somebody_else(begun, "prod", "db", "By hand once more")
    begun.drift()
    known = begun.github.read()["issues"]
    assert [issue["state"] for issue in known] == ["closed", "open", "open", "open", "open"] and mallory in known and gone in known


def test_what_could_not_be_looked_at_is_no_drift(begun: Hub) -> None:
    by_somebody_else(begun, "prod", "db", "By hand")
    begun.drift()
    begun.down = {PROD}
    run = begun.drift()
    assert run.codes("drift") == {"staging": DONE, "prod": ERROR}, run.log
    # The issue about drift stays, since nobody knows; it says that nothing could be seen.
    assert issues(begun) == [("open", "Secrets of shop in prod could not be looked at")]
    [issue] = begun.github.read()["issues"]
    assert "- **Drifted:** not known.\n- **Could not be looked at: the whole target.**" in issue["body"]
    begun.down = set()
    begun.drift()
    assert issues(begun) == [("open", "Secrets of shop in prod drift from git")]


def test_secrets_that_could_not_be_read_are_told_beside_those_that_drift(begun: Hub) -> None:
    policy = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{PROD}:root"}, "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [policy | {"Action": "secretsmanager:GetSecretValue"}]}
    begun.git("checkout", "--quiet", "main")
    text = secret("db", "The database").replace("spec: { ", f"spec: {{ policy: {json.dumps(policy)}, ")
    begun.commit("a policy", db=text)
    begun.push()
    by_somebody_else(begun, "staging", "db", "By hand")
    denied = {"rules": [{"operation": "GetResourcePolicy", "times": 1, "kind": "accessDenied"}]}
    requests.post(f"{begun.endpoint.url}/_keywright/faults", json=denied, timeout=10).raise_for_status()
    begun.drift()
    [issue] = [i for i in begun.github.read()["issues"] if "in staging" in i["title"]]
    assert issue["title"] == "Some secrets of shop in staging could not be looked at", issue["body"]
    assert "- **Drifted: 0.**\n- **Could not be looked at: 1.**" in issue["body"]


def test_no_report_is_no_news(begun: Hub) -> None:
    begun.git("checkout", "--quiet", "main")
    (begun.checkout / "keywright.yaml").unlink()
    begun.commit("broken")
    begun.push()
    run = begun.drift()
    assert run.results["issues"] == "failure" and "there is no report of drift" in run.log and issues(begun) == [], run.log


# Guards


def removal(hub: Hub, number: int, *names: str, files: dict[str, str | None] | None = None) -> Run:
    """A pull request that takes manifests away, planned."""
    gone: dict[str, str | None] = {f"secrets/{name}.yaml": None for name in names}
    hub.open(number, f"remove {names}", files=gone | (files or {}))
    return hub.planned(number, taken_for_done={"validate"})


def override(*names: str, guard: str = "max-deletes", targets: list[str] | None = None, reason: str = "Retired, OPS-12") -> str:
    secrets = [f"{target}/shop/{name}" for target in ("staging", "prod") for name in names]
    entry = {"guard": guard, "secrets": secrets} | ({"targets": targets} if targets else {})
    return json.dumps({"reason": reason, "overrides": [entry]})


@pytest.fixture
def filled(hub: Hub) -> Hub:
    """The same with five secrets; guards.maxDeletes is 1."""
    hub.git("checkout", "--quiet", "main")
    hub.commit("first", **{name: secret(name, name.upper()) for name in ("db", "a", "b", "c", "d")})
    hub.push()
    hub.apply_at_once()
    return hub


def test_a_guard_that_refuses_is_overridden_in_the_open_and_once(filled: Hub) -> None:
    run = removal(filled, 2, "a", "b")
    assert set(run.codes("plan").values()) == {3} and run.results["result"] == "failure"
    assert "guards.maxDeletes" in comments(filled, 2)["prod"]
    filled.change(2, "override", files={"keywright-overrides/retired.json": override("a", "b")})
    run = filled.planned(2, taken_for_done={"validate"})
    assert run.results["result"] == "success", run.log
    said = "- `max-deletes` by `--max-deletes 2`, for `prod/shop/a`, `prod/shop/b`: `Retired, OPS-12` (`keywright-overrides/retired.json`)"
    assert "### Guards overridden for this plan" in comments(filled, 2)["prod"] and said in comments(filled, 2)["prod"]
    filled.review(2)
    filled.merge(2, "squash")
    run = filled.pushed()
    assert run.results["summary"] == "success", run.log
    assert set(live(filled, "prod")) == {"db", "c", "d"}
    assert [line["guardOverrides"] for line in journal(filled, "prod")] == [["--max-deletes 2"]] * 2
    # The file is still there, and counts for no other pull request.
    run = removal(filled, 3, "c", "d", files={"README.md": "text"})
    assert set(run.codes("plan").values()) == {3}, run.log


def test_an_override_that_is_there_already_counts_for_no_other_pull_request(filled: Hub) -> None:
    filled.git("checkout", "--quiet", "main")
    (filled.checkout / "keywright-overrides").mkdir()
    (filled.checkout / "keywright-overrides/retired.json").write_text(override("a", "b"))
    filled.commit("of an earlier pull request")
    filled.push()
    assert removal(filled, 2, "a", "b").codes("plan") == {"staging": 3, "prod": 3}


def test_an_override_that_takes_the_place_of_another_one_is_read_at_the_apply_too(filled: Hub) -> None:
    """Git calls that a rename; and what is no override in that folder stands in nobody's way."""
    filled.git("checkout", "--quiet", "main")
    (filled.checkout / "keywright-overrides").mkdir()
    (filled.checkout / "keywright-overrides/old.json").write_text(override("a", "b"))
    (filled.checkout / "keywright-overrides/README.md").write_text("What is in here")
    filled.commit("an override of another time")
    filled.push()
    filled.apply_at_once()
    new = {"keywright-overrides/old.json": None, "keywright-overrides/new.json": override("a", "b", reason="Retired, OPS-13")}
    run = removal(filled, 2, "a", "b", files=new | {"keywright-overrides/README.md": "What else is in here"})
    assert run.results["result"] == "success", run.log
    filled.review(2)
    filled.merge(2, "squash")
    run = filled.pushed()
    assert run.results["summary"] == "success" and set(live(filled, "prod")) == {"db", "c", "d"}, run.log


def test_an_override_counts_for_all_commits_of_a_rebased_pull_request(filled: Hub) -> None:
    removal(filled, 2, "a", "b", files={"keywright-overrides/retired.json": override("a", "b")})
    filled.change(2, "and more", e=secret("e", "E"))
    assert filled.planned(2, taken_for_done={"validate"}).results["result"] == "success"
    filled.review(2)
    filled.merge(2, "rebase")
    run = filled.pushed()
    assert run.results["summary"] == "success", run.log
    assert set(live(filled, "prod")) == {"db", "c", "d", "e"}


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("keywright-overrides/one.json", override("a")),
        ("keywright-overrides/other.json", override("a", "b", guard="max-changes")),
        ("keywright-overrides/targets.json", override("a", "b", targets=["dev"])),
        ("keywright-overrides/name.yaml", override("a", "b")),
        ("elsewhere/one.json", override("a", "b")),
    ],
    ids=["not-all-secrets", "another-guard", "another-target", "no-json", "elsewhere"],
)
def test_an_override_is_for_the_guard_the_secrets_and_the_target_that_it_names(filled: Hub, file: str, text: str) -> None:
    run = removal(filled, 2, "a", "b", files={file: text})
    assert run.codes("plan") == {"staging": 3, "prod": 3}, run.log


@pytest.mark.parametrize("text", ["{", "[]", '{"reason": "x"}', '{"reason": "x", "overrides": {"guard": "max-deletes"}}'])
def test_a_file_that_is_no_override_lifts_nothing(filled: Hub, text: str) -> None:
    run = removal(filled, 2, "a", "b", files={"keywright-overrides/broken.json": text})
    assert all(code != DONE for code in run.codes("plan").values()) and run.results["result"] == "failure", run.log


def test_what_a_pull_request_says_is_neither_a_command_nor_markup(filled: Hub) -> None:
    name = "keywright-overrides/$(touch hacked) `id` <b>.json"
    reason = "`</code><!-- -->\n# Approved by @everybody $(touch hacked) ${{ github.token }}"
    run = removal(filled, 2, "a", "b", files={name: override("a", "b", reason=reason), "keywright-overrides/link.json": "x"})
    run = run if run.results["result"] == "success" else filled.planned(2)
    filled.change(2, "no link", files={"keywright-overrides/link.json": None})
    run = filled.planned(2, taken_for_done={"validate"})
    assert run.results["result"] == "success", run.log
    [line] = [line for line in comments(filled, 2)["prod"].splitlines() if "touch hacked" in line]
    assert line.count("`") % 2 == 0 and "<" not in line and "`@" not in line
    assert "# Approved" not in [line[:10] for line in comments(filled, 2)["prod"].splitlines()]
    assert not list(filled.folder.rglob("hacked"))


def test_a_link_is_no_override(filled: Hub) -> None:
    filled.git("checkout", "--quiet", "-B", "branch-2", "main")
    (filled.checkout / "keywright-overrides").mkdir()
    (filled.checkout / "other.txt").write_text(override("a", "b"))
    (filled.checkout / "keywright-overrides/link.json").symlink_to("../other.txt")
    for name in "ab":
        (filled.checkout / f"secrets/{name}.yaml").unlink()
    filled.change(2, "a link")
    assert set(filled.planned(2, taken_for_done={"validate"}).codes("plan").values()) == {3}


def test_a_plan_brings_no_override_along_that_git_does_not_name(filled: Hub) -> None:
    """As if whoever kept the plan had planned with a flag of their own."""
    filled.variables["KEYWRIGHT_TARGETS"] = filled.variables["KEYWRIGHT_TARGETS"].replace('"canary": true', '"canary": false')
    removal(filled, 2, "a")
    filled.review(2)
    for kept in [a for a in filled.github.read()["artifacts"] if a["name"].startswith("keywright-shown-2")]:
        file = Path(kept["folder"], "prod/approved.json")
        plan = json.loads(file.read_text())
        plan["lines"][0] = plan["lines"][0].replace('"guardOverrides":[]', '"guardOverrides":["--max-deletes 9"]')
        file.write_text(json.dumps(plan))
    filled.merge(2)
    run = filled.pushed()
    assert run.codes("rest")["prod"] == 3 and "overrides a guard that no file" in run.log, run.log
    assert "a" in live(filled, "prod") and "a" not in live(filled, "staging")


def test_an_override_of_one_guard_brings_no_other_flag_and_no_further_delete_along(filled: Hub) -> None:
    """As if whoever kept the plan had planned with flags of their own, beside a file that names something else."""
    filled.variables["KEYWRIGHT_TARGETS"] = filled.variables["KEYWRIGHT_TARGETS"].replace('"canary": true', '"canary": false')
    removal(filled, 2, "a", "b", files={"keywright-overrides/retired.json": override("a", "b")})
    filled.review(2)
    forged = {"staging": "--allow-protected", "prod": "--max-deletes 9"}
    for kept in [a for a in filled.github.read()["artifacts"] if a["name"].startswith("keywright-shown-2")]:
        for target, flag in forged.items():
            file = Path(kept["folder"], f"{target}/approved.json")
            if file.is_file():
                plan = json.loads(file.read_text())
                head = json.loads(plan["lines"][0])
                plan["lines"][0] = json.dumps(head | {"guardOverrides": [flag]})
                file.write_text(json.dumps(plan))
    filled.merge(2)
    run = filled.pushed()
    assert set(run.codes("rest").values()) == {3} and "overrides a guard that no file" in run.log, run.log
    assert "a" in live(filled, "prod")


# Inventory


def test_an_inventory_of_each_target_is_kept_and_what_is_serious_fails(begun: Hub) -> None:
    def look() -> Run:
        head = begun.git("rev-parse", "main")
        event = {"event_name": "schedule", "ref": "refs/heads/main", "sha": head, "event": {}}
        return begun.start("keywright-inventory.yml", event, head)

    run = look()
    assert run.codes("inventory") == {"staging": DONE, "prod": DONE}, run.log
    kept = {a["name"]: sorted(file.name for file in Path(a["folder"]).iterdir()) for a in begun.github.read()["artifacts"] if a["run"] == run.id}
    files = ["inventory.csv", "inventory.html", "inventory.json", "inventory.sarif", "result.json"]
    assert kept == {f"keywright-inventory-{target}": files for target in ACCOUNTS}
    summary = (begun.folder / f"summary-{run.id}.md").read_text()
    assert "### Inventory of `staging`: 1 secrets" in summary and "| medium | 1 |" in summary and "| high |" not in summary
    statement = {"Effect": "Allow", "Principal": "*", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    client(begun.endpoint, ACCOUNTS["prod"]).put_resource_policy(SecretId="prod/shop/db", ResourcePolicy=policy, BlockPublicPolicy=False)
    run = look()
    assert run.codes("inventory") == {"staging": DONE, "prod": 2} and run.results["inventory"] == "failure", run.log
    assert "| high | 1 |" in (begun.folder / f"summary-{run.id}.md").read_text()
    # A role of its own, where there is one.
    matrix = json.loads(begun.variables["KEYWRIGHT_TARGETS"])
    matrix[0]["inventory"] = "arn:aws:iam::111111111111:user/x"
    begun.variables["KEYWRIGHT_TARGETS"] = json.dumps(matrix)
    assert "has a role that is no ARN" in look().log
    # And no other takes its place: it would see less, and be green.
    del matrix[0]["inventory"]
    begun.variables["KEYWRIGHT_TARGETS"] = json.dumps(matrix)
    run = look()
    assert run.results["targets"] == "failure" and run.codes("inventory") == {} and "has no role inventory for staging" in run.log, run.log
    assert "keywright iam-policy --for inventory --audit" in run.log


def test_an_audit_has_a_role_of_its_own() -> None:
    for row in json.loads((CI / "github/targets.json").read_text()):
        roles = {kind: row[kind] for kind in ("plan", "apply", "drift", "inventory")}
        assert len(set(roles.values())) == 4, roles
    assert "keywright iam-policy --target staging --for inventory --audit" in (CI / "README.md").read_text()


def test_who_is_gone_has_approved_nothing(begun: Hub) -> None:
    """A review without its author, or with an empty field, shifts no other into the place of a name."""
    begun.approved(1, "more", a=secret("a", "A"))
    known = begun.github.read()
    [review] = known["reviews"]["1"]
    gone = [review | {"user": None}, review | {"user": {"login": "ada"}, "commit_id": None}]
    begun.github.write(reviews={"1": gone}, permissions=dict.fromkeys(["ada", "APPROVED", "null", "-", review["commit_id"]], "admin"))
    begun.merge(1)
    run = begun.pushed()
    assert "nobody who may write approved" in run.log and live(begun, "staging") == {"db": "The database"}, run.log


# The matrix


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"target": "a b"}, "no single word"),
        ({"target": "prod"}, "has a target twice"),
        ({"account": "1234"}, "not twelve digits"),
        ({"account": "333333333333"}, "no ARN of a role in its own account"),
        ({"plan": "arn:aws:iam::111111111111:user/x"}, "no ARN of a role"),
        ({"apply": ""}, "no ARN of a role"),
        ({"drift": ""}, "no ARN of a role"),
        ({"region": "eu west"}, "has a region that is none"),
        ({"flags": "--max-deletes 10"}, "name a sandbox, a target or a guard"),
        ({"flags": "--allow-public-policy"}, "name a sandbox, a target or a guard"),
        ({"flags": "--sandbox"}, "name a sandbox, a target or a guard"),
        ({"flags": "a\nb"}, "name a sandbox, a target or a guard"),
        ({"canary": "yes"}, "neither true nor false"),
        ({"role": "x"}, "has a key that is none of"),
        ({"apply": None}, "needs target, account, region, plan and apply"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_a_matrix_that_could_mean_something_else_is_refused(hub: Hub, change: dict[str, Any], says: str) -> None:
    matrix = json.loads(hub.variables["KEYWRIGHT_TARGETS"])
    matrix[0] |= change
    hub.variables["KEYWRIGHT_TARGETS"] = json.dumps(matrix)
    hub.open(1, "first", db=secret("db", "The database"))
    run = hub.planned(1, taken_for_done={"validate"})
    assert run.results["targets"] == "failure" and run.results["result"] == "failure" and says in run.log, run.log


@pytest.mark.parametrize("text", ["", "[]", "{}", "nonsense"])
def test_no_matrix_is_told(hub: Hub, text: str) -> None:
    hub.variables["KEYWRIGHT_TARGETS"] = text
    hub.open(1, "first")
    run = hub.planned(1, taken_for_done={"validate"})
    assert run.results["result"] == "failure" and "KEYWRIGHT_TARGETS cannot be used" in run.log


def test_flags_of_a_target_are_words_and_stay_with_it(begun: Hub) -> None:
    matrix = json.loads(begun.variables["KEYWRIGHT_TARGETS"])
    matrix[1]["flags"] = "--select prod/shop/c*"
    begun.variables["KEYWRIGHT_TARGETS"] = json.dumps(matrix)
    begun.approved(2, "two", cache=secret("cache", "The cache"), queue=secret("queue", "The queue"))
    begun.merge(2)
    assert begun.pushed().results["summary"] == "success"
    assert set(live(begun, "staging")) == {"db", "cache", "queue"} and set(live(begun, "prod")) == {"db", "cache"}
    # Drift as well: what it is not asked for, it does not look at.
    begun.drift()
    assert issues(begun) == []
    matrix[1]["flags"] = "--select $(touch${IFS}hacked)"
    begun.variables["KEYWRIGHT_TARGETS"] = json.dumps(matrix)
    begun.planned(2, taken_for_done={"validate"})
    assert not list(begun.folder.rglob("hacked"))
