"""The GitHub Action: its steps as they run, against the sandbox."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from action import ACTION, ARCHIVE, RECIPE, ROOT, VERSION, Job, by_hand, live, on_github
from aws import Endpoint
from command import CHANGES, DONE, ERROR, GUARD, USAGE, Keywright
from furnished import ACCOUNT
from recipes import manifest
from test_recipes import judge, program


@pytest.fixture
def job(keywright: Keywright, sandbox: Endpoint, tmp_path: Path) -> Iterator[Job]:
    with on_github(keywright, sandbox, tmp_path) as job:
        yield job


# What the action is


def test_the_action_by_its_schema_and_its_rules() -> None:
    judge(sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-actions", ACTION)
    judge(program("zizmor"), "--offline", "--persona", "pedantic", ACTION, RECIPE)
    document = yaml.safe_load(ACTION.read_text())
    for step in document["runs"]["steps"]:
        # What somebody gives reaches the shell through the environment, and never as a part of it.
        assert "${{" not in step.get("run", ""), step
        assert "uses" not in step or re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", step["uses"]), step
        for script in re.findall(r"packaging/action/\w+\.sh", step.get("run", "")):
            assert os.access(ROOT / script, os.X_OK)
    given = set(re.findall(r"inputs\.([\w-]+)", ACTION.read_text()))
    assert given == set(document["inputs"])


def test_the_page_of_the_action_names_every_input_and_output() -> None:
    page = (ROOT / "packaging/action/README.md").read_text()
    document = yaml.safe_load(ACTION.read_text())
    for name in [*document["inputs"], *document["outputs"]]:
        assert f"| `{name}` |" in page, name


def test_the_guide_names_both_and_every_exit_code() -> None:
    page = (ROOT / "docs/guides/ci.md").read_text()
    assert "packaging/action/README.md" in page and "templates/keywright.yml" in page
    codes = re.findall(r"Self::\w+ => (\d+),", (ROOT / "src/exit_code.rs").read_text().split("fn severity")[0])
    table = dict(re.findall(r"^\| (\d+) \| (.*?) \|", page, re.M))
    assert set(table) == set(codes) >= {"0", "64", "130"} and "inventory --fail-on" in table["2"]


# Installing


def test_a_release_is_verified_before_it_runs(job: Job) -> None:
    done = job.use(command="validate")
    assert done.code == DONE and f"keywright {VERSION}, by its checksum and its attestation" in done.log, done
    repository = re.search(r'^repository = "https://github.com/(.*)"$', (ROOT / "Cargo.toml").read_text(), re.M)[1]
    [call] = (job.folder / "attestations").read_text().splitlines()
    words = call.split()
    assert words[:2] == ["attestation", "verify"] and words[2].endswith(f"{ARCHIVE}.tar.gz")
    assert words[3:] == [
        "--repo", repository, "--signer-workflow", f"{repository}/.github/workflows/release.yml",
        "--source-ref", f"refs/tags/v{VERSION}", "--deny-self-hosted-runners",
    ]  # fmt: skip
    # Pinned to the byte as well.
    done = job.use(command="validate", sha256=job.checksums())
    assert done.code == DONE and "by the checksum that is asked for and its attestation" in done.log, done


def test_what_cannot_be_verified_is_not_installed(job: Job) -> None:
    mark = job.folder / "ran"
    evil = f'#!/bin/sh\ntouch "{mark}"\n'
    job.attested = False
    done = job.use(command="validate")
    assert done.code == ERROR and "has no attestation of the release workflow" in done.log, done
    job.attested = True
    done = job.use(command="validate", sha256="0" * 64)
    assert done.code == ERROR and "is asked for" in done.log, done
    # Replaced, and its checksum not.
    sums = (job.releases / f"v{VERSION}/SHA256SUMS").read_text()
    job.publish(evil)
    (job.releases / f"v{VERSION}/SHA256SUMS").write_text(sums)
    done = job.use(command="validate")
    assert done.code == ERROR and "is not the one in SHA256SUMS" in done.log and not mark.exists(), done
    # With its checksum: the attestation is what tells.
    job.publish(evil)
    job.attested = False
    done = job.use(command="validate")
    assert done.code == ERROR and "has no attestation" in done.log and not mark.exists(), done
    job.attested = True
    done = job.use(command="validate", version="9.9.9")
    assert done.code == ERROR and "could not be downloaded" in done.log, done
    for version in ("latest", "1.2", "../../1.2.3", "1.2.3;touch x"):
        done = job.use(command="validate", version=version)
        assert done.code == ERROR and "is no version such as 1.2.3" in done.log, done
    job.publish('#!/bin/sh\necho "keywright 0.0.1"\n')
    done = job.use(command="validate")
    assert done.code == ERROR and "calls itself keywright 0.0.1" in done.log, done
    assert all(name not in done.outputs or not done.outputs[name] for name in ("has-changes", "plan-file"))


def test_without_gh_only_a_pinned_release_is_installed(job: Job) -> None:
    (job.folder / "bin/gh").unlink()
    # A PATH with what the script needs, and no gh.
    tools = ["bash", "sh", "curl", "tar", "gzip", "sed", "head", "cut", "grep", "uname", "mktemp", "mkdir", "rm", "sha256sum", "cat", "dirname", "jq", "od", "tr"]
    for tool in tools:
        if found := shutil.which(tool):
            (job.folder / "bin" / tool).unlink(missing_ok=True)
            (job.folder / "bin" / tool).symlink_to(found)
    bare = {"PATH": str(job.folder / "bin")}
    step = yaml.safe_load(ACTION.read_text())["runs"]["steps"][0]
    (job.temp / "path").write_text("")
    done = job.step(step, bare)
    assert done.code == ERROR and "without gh its attestation cannot be checked" in done.out, done
    done = job.step(step, bare | {"KEYWRIGHT_SHA256": job.checksums()})
    assert done.code == DONE and "by the checksum that is asked for\n" in done.out, done


def test_a_copy_whose_repository_is_a_placeholder_says_so(job: Job) -> None:
    if "/OWNER/" not in (ROOT / "Cargo.toml").read_text():
        pytest.skip("this repository has an address")
    step = yaml.safe_load(ACTION.read_text())["runs"]["steps"][0]
    (job.temp / "path").write_text("")
    done = job.step(step, {"KEYWRIGHT_RELEASES": ""})
    assert done.code == ERROR and "is a placeholder" in done.out, done


# Running


def test_validate_points_at_the_lines(job: Job) -> None:
    done = job.use(command="validate")
    assert done.code == DONE and done.outputs["findings"] == "0", done
    job.commit("broken", db="kind: Secret\n")
    done = job.use(command="validate")
    assert done.code == ERROR and "::error file=secrets/db.yaml" in done.log, done
    assert int(done.outputs["findings"]) > 0 and json.loads(done.outputs["counts"])["errors"] > 0


def test_a_plan_is_shown_kept_and_applied(job: Job) -> None:
    pull = {"pull_request": {"number": 7}}
    plan = {"command": "plan", "only_accounts": ACCOUNT, "comment": "true", "artifact": "plan"}
    done = job.use(pull, **plan)
    assert done.code == DONE and done.outputs["has-changes"] == "true" and done.outputs["code"] == "0", done
    assert json.loads(done.outputs["counts"]) == {"create": 2} and re.fullmatch(r"sha256:[0-9a-f]{64}", done.outputs["fingerprint"])
    assert done.uploaded == {"plan": ["approved.json", "report.md"]}
    [comment] = job.github.read()["comments"]["7"]
    assert comment["body"].startswith("<!-- keywright:plan shop all -->") and "`dev/shop/db`" in comment["body"]
    # Nothing is said of approvals: with the action alone they are not bound to a plan.
    assert "An approval" not in comment["body"]
    assert "`dev/shop/db`" in (job.temp / "summary").read_text() and live(job) == {}
    # A change, and the same comment; somebody else's stays.
    mallory = {"id": 1, "user": {"login": "mallory"}, "body": "<!-- keywright:plan shop all -->\nmine"}
    job.github.write(comments={"7": [mallory, comment]})
    job.commit("cache", cache=manifest("cache", "The cache"))
    done = job.use(pull, **plan)
    comments = job.github.read()["comments"]["7"]
    assert [c["id"] for c in comments] == [1, comment["id"]] and comments[0] == mallory and "dev/shop/cache" in comments[1]["body"]
    # That plan is applied, and no other.
    shutil.copy(done.outputs["plan-file"], job.temp / "approved.json")
    applied = job.use(command="apply", only_accounts=ACCOUNT, plan_file=str(job.temp / "approved.json"), artifact="applied")
    assert applied.code == DONE and applied.outputs["has-changes"] == "true", applied
    assert json.loads(applied.outputs["counts"]) == {"CreateSecret": 3} and "journal.jsonl" in applied.uploaded["applied"]
    assert set(live(job)) == {"dev/shop/api", "dev/shop/cache", "dev/shop/db"}
    by_hand(job)
    stale = job.use(command="apply", only_accounts=ACCOUNT, plan_file=str(job.temp / "approved.json"))
    assert stale.code != DONE and live(job)["dev/shop/db"] == "By hand", stale
    # Without a plan: what is planned now.
    assert job.use(command="apply", plan_file="none", only_accounts=ACCOUNT).code == DONE and live(job)["dev/shop/db"] == "The database"
    again = job.use(command="apply", plan_file="none", only_accounts=ACCOUNT)
    assert again.code == DONE and again.outputs["has-changes"] == "false" and again.outputs["counts"] == "{}", again


def test_without_a_plan_file_nothing_is_applied_unless_it_is_said(job: Job) -> None:
    # The output of a step that is misspelt is empty.
    for given in ({}, {"plan_file": ""}, {"plan_file": str(job.temp / "nothing.json")}, {"plan_file": "--yes"}):
        done = job.use(command="apply", only_accounts=ACCOUNT, artifact="applied", **given)
        assert done.code == USAGE and "::error::keywright: plan-file" in done.log and live(job) == {}, done
        # And what was not run has left nothing that could be uploaded.
        assert done.uploaded == {} and done.outputs["report"] == ""
    assert job.use(command="apply", plan_file="none", only_accounts=ACCOUNT).code == DONE and live(job)


def test_where_paths_are_those_of_windows_outputs_are_as_well(job: Job) -> None:
    job.program("cygpath", 'echo "$2/."; [ "$1" = -w ]')
    done = job.use(command="plan", only_accounts=ACCOUNT, artifact="plan")
    assert done.code == DONE and done.outputs["report"].endswith("/report/.") and done.outputs["plan-file"].endswith("/approved.json/."), done
    assert done.uploaded == {"plan": ["approved.json", "report.md"]}


def test_the_comment_is_found_again_by_its_author_and_its_marker(job: Job) -> None:
    # With a token of another app, and beside comments of others: of somebody who is gone, and of one whose text looks like fields.
    marker = "<!-- keywright:plan shop all -->"
    strange = [
        {"id": 1, "user": None, "body": f"robot[bot]\t{marker}\tx"}, {"id": 2, "user": None, "body": f"{marker}\nx"},
        {"id": 3, "user": {"login": "mallory"}, "body": f"{marker}\nx"}, {"id": 4, "user": {"login": "robot[bot]"}, "body": None},
        {"id": 5, "user": {"login": "robot[bot]"}, "body": "something else"},
    ]  # fmt: skip
    job.github.write(comments={"7": strange})
    job.may["login"] = "robot[bot]"
    plan = {"command": "plan", "only_accounts": ACCOUNT, "comment": "true", "comment_author": "robot[bot]"}
    for said in ("shown now", "shown before"):
        done = job.use({"pull_request": {"number": 7}}, **plan)
        comments = job.github.read()["comments"]["7"]
        assert done.code == DONE and said in done.log and comments[:5] == strange and len(comments) == 6, (done, comments)
        assert comments[5]["body"].startswith(f"{marker}\n<!-- sha256:")


def test_a_plan_that_is_refused_is_shown_and_fails(job: Job) -> None:
    assert job.use(command="apply", plan_file="none", only_accounts=ACCOUNT).code == DONE
    shutil.rmtree(job.checkout / "secrets")
    (job.checkout / "secrets").mkdir()
    text = (job.checkout / "keywright.yaml").read_text()
    (job.checkout / "keywright.yaml").write_text(text + "  prune: delete\n  guards: { maxDeletes: 1 }\n")
    done = job.use({"pull_request": {"number": 7}}, command="plan", only_accounts=ACCOUNT, comment="true")
    assert done.code == GUARD and done.outputs["code"] == str(GUARD) and done.outputs["plan-file"] == "", done
    [comment] = job.github.read()["comments"]["7"]
    assert "max-deletes" in comment["body"] or "maxDeletes" in comment["body"], comment["body"]


def test_drift_and_inventory_are_findings(job: Job) -> None:
    assert job.use(command="apply", plan_file="none", only_accounts=ACCOUNT).code == DONE
    clean = job.use(command="drift", only_accounts=ACCOUNT)
    assert clean.code == DONE and (clean.outputs["has-changes"], clean.outputs["findings"]) == ("false", "0"), clean
    by_hand(job)
    found = job.use(command="drift", only_accounts=ACCOUNT, artifact="drift")
    assert found.code == CHANGES and (found.outputs["has-changes"], found.outputs["findings"]) == ("true", "1"), found
    assert found.uploaded == {"drift": ["drift.json", "drift.xml", "report.md"]}
    told = job.use(command="drift", only_accounts=ACCOUNT, fail_on_found="false")
    assert told.code == DONE and told.outputs["code"] == str(CHANGES) and told.outputs["findings"] == "1", told
    there = job.use(command="inventory", only_accounts=ACCOUNT, flags="--audit --fail-on info", artifact="inventory")
    counts = json.loads(there.outputs["counts"])
    assert there.code == CHANGES and int(there.outputs["findings"]) == sum(counts.values()) > 0, there
    assert there.uploaded["inventory"] == [f"inventory.{ending}" for ending in ("csv", "html", "json", "sarif", "txt", "xml")]
    # Findings fail nothing of themselves.
    assert job.use(command="inventory", only_accounts=ACCOUNT, flags="--audit", fail_on_found="true").code == DONE
    assert job.use(command="inventory", only_accounts=ACCOUNT, flags="--audit --fail-on info", fail_on_found="false").code == DONE
    page = (ROOT / "packaging/action/README.md").read_text()
    assert "without `--fail-on` no finding fails the job" in page


def test_no_job_goes_where_it_was_not_sent(job: Job) -> None:
    done = job.use(command="apply", plan_file="none")
    assert done.code == USAGE and "only-accounts has to name the accounts" in done.log and live(job) == {}, done
    done = job.use(command="apply", plan_file="none", only_accounts="222222222222")
    assert done.code == GUARD and "is not one of those" in done.log and live(job) == {}, done
    # What only looks like a sandbox is none.
    for flags in ("--sandbox-faults x", "--select --sandboxes", "--select x\n--sandbox"):
        done = job.use(command="apply", plan_file="none", flags=flags)
        assert done.code == USAGE and live(job) == {}, done
    # A sandbox is nobody's account.
    assert job.use(command="plan", flags="--sandbox").code == DONE


@pytest.mark.parametrize(
    "given",
    [
        {"command": "release"}, {"command": "plan; touch hacked"}, {"command": "plan", "plan_file": "x", "only_accounts": ACCOUNT},
        {"command": "plan", "flags": "--sandbox $(touch hacked) `touch hacked` ; touch hacked"},
        {"command": "plan", "flags": "--sandbox", "target": "$(touch hacked)"},
        {"command": "validate", "project": "$(touch hacked)"},
    ],
    ids=lambda given: " ".join(given.values()),
)  # fmt: skip
def test_inputs_are_words_and_no_commands(job: Job, given: dict[str, str]) -> None:
    done = job.use(**given)
    assert done.code != DONE and not list(job.folder.rglob("hacked")), done


def test_no_line_of_a_plan_is_a_command_to_github(job: Job) -> None:
    job.commit("text", db=manifest("db", '"::add-mask::x"'))
    done = job.use(command="plan", flags="--sandbox")
    lines = done.log.splitlines()
    [begin] = [at for at, line in enumerate(lines) if line.startswith("::stop-commands::")]
    token = lines[begin].removeprefix("::stop-commands::")
    end = lines.index(f"::{token}::")
    assert re.fullmatch(r"[0-9a-f]{32}", token) and any("add-mask" in line for line in lines[begin:end])
    assert not any("add-mask" in line for line in [*lines[:begin], *lines[end:]])


# The recipes


def test_the_recipe_by_its_schema_and_its_rules(job: Job) -> None:
    judge(sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", RECIPE)
    document = yaml.safe_load(RECIPE.read_text())
    inputs = yaml.safe_load(ACTION.read_text())["inputs"]
    commands = []
    for name, wanted in document["jobs"].items():
        uses = [step for step in wanted["steps"] if step["uses"].startswith("OWNER/keywright@")]
        commands += [step["with"]["command"] for step in uses]
        assert all(set(step["with"]) <= set(inputs) for step in uses)
        # Ten lines each, from the first step.
        assert len(yaml.safe_dump(wanted["steps"], default_flow_style=None, width=1000).splitlines()) <= 10, name
        assert all("only-accounts" in step["with"] for step in uses if name != "validate")
        assert (wanted["permissions"].get("id-token") == "write") == (name != "validate")
        assert name != "plan" or "head.repo.full_name == github.repository" in wanted["if"]
        assert (wanted.get("environment") == "keywright") == (name == "apply")
        # One command a job: what one finds does not keep another from running.
        assert len(uses) == 1
        command = uses[0]["with"]["command"]
        roles = {step["with"]["role-to-assume"] for step in wanted["steps"] if "role-to-assume" in step.get("with", {})}
        role = {"validate": set(), "drift": {"keywright-plan"}}.get(command, {f"keywright-{command}"})
        # An audit reads what a plan need not, and fails for what it could not read.
        assert {arn.split("/")[1] for arn in roles} == role, name
        assert command != "inventory" or uses[0]["with"]["flags"] == "--audit --fail-on high"
    assert sorted(commands) == ["apply", "drift", "inventory", "plan", "validate"]
    # As they stand there, one after the other.
    for command in ("validate", "plan", "apply", "inventory", "drift"):
        [given] = [
            step["with"] for wanted in document["jobs"].values() for step in wanted["steps"]
            if step["uses"].startswith("OWNER/") and step["with"]["command"] == command
        ]  # fmt: skip
        words = {name.replace("-", "_"): {True: "true"}.get(value, str(value)) for name, value in given.items()}
        words = {name: value.replace("111111111111", ACCOUNT) for name, value in words.items()}
        assert job.use({"pull_request": {"number": 7}}, **words).code == DONE, command
    assert set(live(job)) == {"dev/shop/api", "dev/shop/db"}
