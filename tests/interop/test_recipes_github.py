"""The GitHub recipe, from a pull request to its apply, and drift: its own scripts and steps against the sandbox."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aws import Endpoint
from command import DONE, ERROR, GUARD, STALE, Keywright
from furnished import ACCOUNT
from recipes import Runner, manifest

PULL, APPLY, DRIFT = "keywright-pull-request.yml", "keywright-apply.yml", "keywright-drift.yml"
PUSH = {
    "vars.KEYWRIGHT_FLAGS": "",
    "vars.KEYWRIGHT_ONLY_ACCOUNTS": ACCOUNT,
    "inputs.flags": "",
    "github.event_name == 'push'": "yes",
    "vars.AWS_REGION": "eu-west-1",
    "vars.KEYWRIGHT_PLAN_ROLE": "arn:aws:iam::111111111111:role/plan",
    "vars.KEYWRIGHT_APPLY_ROLE": "arn:aws:iam::111111111111:role/apply",
    "github.run_id": "42",
    "github.run_attempt": "1",
}
BY_HAND = PUSH | {"github.event_name == 'push'": "", "github.event_name == 'workflow_dispatch'": "yes"}
TOKEN = {"GH_TOKEN": "token"}


@pytest.fixture
def runner(keywright: Keywright, sandbox: Endpoint, tmp_path: Path) -> Runner:
    return Runner(keywright.signed_in(ACCOUNT), sandbox, tmp_path / "runner")


def pull_request(runner: Runner, head: str) -> dict[str, str]:
    return PUSH | {"github.event.pull_request.head.sha": head, "github.event.pull_request.number": "7"}


def merge(runner: Runner, branch: str, head: str) -> str:
    """Merges a branch as GitHub does, with the token and the names of the pull request it came with."""
    runner.git("checkout", "--quiet", "main")
    runner.git("merge", "--quiet", "--no-ff", "--message", "merge", branch)
    merged = runner.git("rev-parse", "HEAD")
    runner.git("push", "--quiet", "origin", "main")
    open_one = {"merged_at": None, "merge_commit_sha": merged, "head": {"sha": "0" * 40}}
    merged_one = {"merged_at": "2026-01-01", "merge_commit_sha": merged, "head": {"sha": head}}
    runner.github.write(pulls=runner.github.read()["pulls"] | {merged: [open_one, merged_one]})
    return merged


def proposed(runner: Runner, branch: str, **manifests: str) -> str:
    """A branch with changes, planned as a pull request; what it would do has been shown and kept."""
    runner.git("checkout", "--quiet", "-B", branch, "main")
    head = runner.commit(branch, **manifests)
    done = runner.job(PULL, "plan", pull_request(runner, head))
    assert done.code == DONE, done
    runner.forget()
    return head


def descriptions(sm: Any) -> dict[str, str]:
    return {secret["Name"]: secret["Description"] for secret in sm.list_secrets()["SecretList"]}


# The comment


def test_the_plan_is_one_comment_that_is_updated_in_place(runner: Runner) -> None:
    marker = "<!-- keywright:plan shop -->"
    others = [
        {"id": 1, "user": {"login": "mallory"}, "body": f"{marker}\nmine"},
        {"id": 2, "user": {"login": "github-actions[bot]"}, "body": "<!-- keywright:plan shop-2 -->\nanother project"},
        {"id": 3, "user": {"login": "github-actions[bot]"}, "body": f"A quotation: {marker}"},
    ]
    runner.github.write(comments={"7": others})
    for round, name in enumerate(["first", "second", "third"]):
        head = proposed(runner, f"branch-{round}", **{name: manifest(name, f"The {name}")})
        done = runner.job(PULL, "comment", pull_request(runner, head))
        assert done.code == DONE, done
        assert ("created a comment" if round == 0 else "updated comment") in done.out
        comments = runner.github.read()["comments"]["7"]
        assert comments[:3] == others
        [comment] = comments[3:]
        assert comment["body"].startswith(f"{marker}\n") and f"dev/shop/{name}" in comment["body"]


def test_what_is_no_plan_is_no_comment(runner: Runner) -> None:
    (runner.temp / "plan.md").write_text("error: something else\n")
    done = runner.script("comment.sh", 7, runner.temp / "plan.md", **TOKEN)
    assert done.code == ERROR and "does not begin with the marker" in done.out
    assert runner.github.read()["calls"] == []


def test_a_plan_that_a_guard_refuses_is_shown_and_not_kept(runner: Runner, sm: Any) -> None:
    sm.create_secret(Name="dev/shop/old", Description="Made by hand")
    runner.git("checkout", "--quiet", "-B", "refused", "main")
    absent = manifest("old", "x").replace("/old }", "/old, state: absent }").replace("spec: { description: x }", "spec: {}")
    head = runner.commit("refused", old=absent)
    done = runner.job(PULL, "plan", pull_request(runner, head))
    assert done.code == GUARD and "::error::a guard refuses" in done.out, done
    runner.forget()
    assert runner.job(PULL, "comment", pull_request(runner, head)).code == DONE
    [comment] = runner.github.read()["comments"]["7"]
    assert "--allow-delete-unowned" in comment["body"]
    assert not (runner.temp / "plan/approved.json").exists()


def test_the_jobs_of_a_fork_need_neither_credentials_nor_an_endpoint(runner: Runner, sm: Any) -> None:
    # Nothing to sign with, and the endpoint would be noticed.
    runner.keywright = Keywright(runner.keywright.binary, runner.keywright.home)
    done = runner.job(PULL, "validate", PUSH)
    assert done.code == DONE, done
    # In the log, and called what it is: the summary is for the plan of the account.
    assert "dev/shop/db" in done.out and "SANDBOX" in done.out, done
    assert not (runner.temp / "summary.md").exists()
    assert descriptions(sm) == {}
    runner.commit("broken", db="kind: Secret\n")
    done = runner.job(PULL, "validate", PUSH)
    assert done.code == ERROR and "::error file=secrets/db.yaml" in done.out, done


# The apply


def test_a_merge_applies_what_was_approved(runner: Runner, sm: Any) -> None:
    head = proposed(runner, "branch", cache=manifest("cache", "The cache"))
    merge(runner, "branch", head)
    done = runner.job(APPLY, "apply", PUSH)
    assert done.code == DONE and "3 created" in done.out, done
    assert descriptions(sm) == {"dev/shop/db": "The database", "dev/shop/api": "The API", "dev/shop/cache": "The cache"}
    journal = runner.github.read()["artifacts"][-1]
    assert journal["name"] == "keywright-journal-1"
    # Again, as somebody who presses "re-run" does.
    runner.forget()
    done = runner.job(APPLY, "apply", PUSH)
    assert done.code == DONE and "Nothing to do" in done.out, done


def test_an_approved_plan_that_is_stale_is_not_applied(runner: Runner, sm: Any) -> None:
    head = proposed(runner, "branch", cache=manifest("cache", "The cache"))
    sm.create_secret(Name="dev/shop/api", Description="Made by hand meanwhile")
    merge(runner, "branch", head)
    done = runner.job(APPLY, "apply", PUSH)
    assert done.code == STALE and "run this workflow by hand" in done.out, done
    assert descriptions(sm) == {"dev/shop/api": "Made by hand meanwhile"}
    # By hand: planned afresh, and then that plan.
    runner.forget()
    done = runner.job(APPLY, "replan", BY_HAND)
    assert done.code == DONE, done
    runner.forget()
    done = runner.job(APPLY, "apply", BY_HAND)
    assert done.code == DONE, done
    assert descriptions(sm)["dev/shop/api"] == "The API"


@pytest.mark.parametrize("origin", ["a push", "a fork", "a fork that uploads"])
def test_what_nobody_approved_is_not_applied(runner: Runner, sm: Any, origin: str) -> None:
    if origin == "a push":
        runner.git("checkout", "--quiet", "main")
        runner.commit("straight to main", cache=manifest("cache", "The cache"))
        runner.git("push", "--quiet", "origin", "main")
    else:
        head = proposed(runner, "branch", cache=manifest("cache", "The cache"))
        merge(runner, "branch", head)
        [artifact] = runner.github.read()["artifacts"]
        artifact["workflow_run"]["head_repository_id"] = 2
        runner.github.write(artifacts=[artifact] if origin == "a fork that uploads" else [])
    done = runner.job(APPLY, "apply", PUSH)
    assert done.code == STALE and "nothing was applied" in done.out, done
    assert descriptions(sm) == {}


def test_an_older_commit_is_never_applied_over_a_newer_one(runner: Runner, sm: Any) -> None:
    older = merge(runner, "one", proposed(runner, "one", cache=manifest("cache", "The cache")))
    newer = merge(runner, "two", proposed(runner, "two", cache=manifest("cache", "The new cache")))
    runner.git("checkout", "--quiet", "--detach", older)
    done = runner.job(APPLY, "apply", PUSH)
    assert done.code == ERROR and f"{older} is older than main, whose tip is {newer}" in done.out, done
    assert descriptions(sm) == {}
    # Nor one that was never merged.
    runner.git("checkout", "--quiet", "--detach", older)
    aside = runner.commit("aside", cache=manifest("cache", "Something else"))
    done = runner.script("tip.sh", "main")
    assert done.code == ERROR and f"{aside} is not on main" in done.out, done
    # The newest one is: its plan was made when the older one had not been applied either.
    runner.git("checkout", "--quiet", "main")
    done = runner.job(APPLY, "apply", PUSH)
    assert done.code == DONE, done
    assert descriptions(sm)["dev/shop/cache"] == "The new cache"


def test_newer_commits_elsewhere_in_the_repository_do_no_harm(runner: Runner, sm: Any) -> None:
    runner.project = "infra"
    (runner.checkout / "infra").mkdir()
    runner.git("mv", "keywright.yaml", "secrets", "infra/")
    moved = runner.commit("moved")
    runner.git("push", "--quiet", "origin", "HEAD:refs/heads/main")
    runner.git("checkout", "--quiet", "-B", "branch")
    head = runner.commit("a change", cache=manifest("cache", "The cache"))
    assert runner.job(PULL, "plan", pull_request(runner, head)).code == DONE
    runner.git("checkout", "--quiet", "-B", "main", moved)
    merged = merge(runner, "branch", head)
    (runner.checkout / "readme.txt").write_text("elsewhere")
    tip = runner.commit("elsewhere")
    runner.git("push", "--quiet", "origin", "main")
    # The older commit may go first, and the newer one finds the plan of the merge that changed the project.
    runner.git("checkout", "--quiet", "--detach", merged)
    done = runner.script("tip.sh", "main", KEYWRIGHT_PROJECT="infra")
    assert done.code == DONE and f"moved on to {tip}" in done.out, done
    runner.git("checkout", "--quiet", "main")
    runner.forget()
    done = runner.job(APPLY, "apply", PUSH)
    assert done.code == DONE and "3 created" in done.out, done


# Drift


def test_drift_is_one_issue_that_is_opened_updated_and_closed(runner: Runner) -> None:
    report = runner.temp / "drift.md"
    issue = {"number": 1, "state": "open", "labels": ["keywright-drift"], "body": "<!-- keywright:drift shop -->\n"}
    runner.github.write(
        issues=[
            issue | {"user": {"login": "mallory"}},
            issue | {"number": 2, "user": {"login": "github-actions[bot]"}, "pull_request": {}},
        ]
    )

    def told(status: int, text: str) -> Any:
        report.write_text(f"<!-- keywright:drift shop -->\n{text}\n")
        done = runner.script("drift-issue.sh", status, report, **TOKEN)
        return done, runner.github.read()["issues"][2:]

    done, issues = told(0, "none")
    assert done.code == DONE and issues == [], done
    done, [opened] = told(2, "one difference")
    assert done.code == DONE and opened["state"] == "open" and "one difference" in opened["body"], done
    assert opened["title"] == "Secrets of shop drift from git" and opened["labels"] == ["keywright-drift"]
    done, [updated] = told(2, "two differences")
    assert updated == opened | {"body": "<!-- keywright:drift shop -->\ntwo differences\n"}, done
    # What could not be looked at may be as it was: the issue stays, and the job fails.
    done, [updated] = told(1, "a target was not reached")
    assert done.code == ERROR and updated["state"] == "open" and "not reached" in updated["body"], done
    done, [closed] = told(0, "none")
    assert done.code == DONE and closed["state"] == "closed" and closed["state_reason"] == "completed", done
    [comment] = runner.github.read()["comments"][str(closed["number"])]
    assert comment["body"].endswith("/octo/secrets/actions/runs/42")
    # A closed issue stays closed; the next drift is another one.
    done, issues = told(2, "again")
    assert [issue["state"] for issue in issues] == ["closed", "open"], done


def test_no_report_is_no_news(runner: Runner) -> None:
    for text in ["", "error: there is no keywright.yaml\n"]:
        (runner.temp / "drift.md").write_text(text)
        done = runner.script("drift-issue.sh", 1, runner.temp / "drift.md", **TOKEN)
        assert done.code == ERROR and "there is no report of drift" in done.out
    assert runner.github.read()["calls"] == []


def test_the_drift_job_keeps_its_issue(runner: Runner, sm: Any) -> None:
    done = runner.job(DRIFT, "drift", PUSH)
    assert done.code == DONE, done
    [issue] = runner.github.read()["issues"]
    assert "dev/shop/db" in issue["body"]
    assert runner.shell("keywright apply --yes").code == DONE
    done = runner.job(DRIFT, "drift", PUSH)
    assert done.code == DONE, done
    assert [issue["state"] for issue in runner.github.read()["issues"]] == ["closed"]


# Installing


@pytest.mark.parametrize("image", ["registry.example.com/keywright:latest", "keywright", "keywright@sha256:1234"])
def test_an_image_without_a_digest_is_refused(runner: Runner, image: str) -> None:
    done = runner.script("install.sh", runner.temp / "bin", KEYWRIGHT_IMAGE=image)
    assert done.code == ERROR and "names no digest" in done.out, done
