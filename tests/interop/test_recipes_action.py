"""The GitHub Action and the GitLab component: their steps as they run, against the sandbox, with a folder in the place of the release's address."""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import re
import shutil
import sys
import tarfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from aws import Endpoint
from command import CHANGES, DONE, ERROR, GUARD, USAGE, Keywright, Result
from expressions import Scope, filled, holds
from fake_gh import served
from furnished import ACCOUNT, client
from recipes import CI, REPOSITORY, GitHub, Runner, manifest, run_script
from test_recipes import judge, program

ROOT = CI.parents[1]
ACTION = ROOT / "action.yml"
COMPONENT = ROOT / "templates/keywright.yml"
RECIPE = CI / "github-action/keywright.yml"
VERSION = re.search(r'^version = "(.*)"$', (ROOT / "Cargo.toml").read_text(), re.M)[1]
MACHINE = {"x86_64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}[platform.machine()]
ARCHIVE = f"keywright-{VERSION}-{MACHINE}-unknown-linux-musl"


@dataclass
class Outcome:
    """A run of the action: how it ended, its log, its outputs, and what it uploaded."""

    code: int
    log: str
    outputs: dict[str, str]
    uploaded: dict[str, list[str]] = field(default_factory=dict)


@dataclass
class Job(Runner):
    """A job on GitHub that uses the action, on a machine without keywright."""

    attested: bool = True
    may: dict[str, str] = field(default_factory=lambda: {"contents": "read", "pull-requests": "write"})

    def __post_init__(self) -> None:
        super().__post_init__()
        self.github = GitHub(self.folder / "github.json")
        self.github.write()
        self.releases = self.folder / "releases"
        self.publish(f'#!/bin/sh\nexec "{self.keywright.binary}" "$@"\n')

    @property
    def programs(self) -> str:
        return f"{self.folder / 'bin'}:{os.environ['PATH']}"

    def publish(self, program: str, version: str = VERSION) -> str:
        """A release that holds this as the binary; its checksum."""
        name = ARCHIVE.replace(VERSION, version)
        place = self.releases / f"v{version}"
        place.mkdir(parents=True, exist_ok=True)
        with tarfile.open(place / f"{name}.tar.gz", "w:gz") as archive:
            entry = tarfile.TarInfo(f"{name}/keywright")
            entry.size, entry.mode = len(program), 0o755
            archive.addfile(entry, io.BytesIO(program.encode()))
        return self.checksums(version)

    def checksums(self, version: str = VERSION) -> str:
        place = self.releases / f"v{version}"
        sums = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in place.glob("*.tar.gz")}
        (place / "SHA256SUMS").write_text("".join(f"{sum}  {name}\n" for name, sum in sums.items()))
        return sums[f"{ARCHIVE.replace(VERSION, version)}.tar.gz"]

    def gh(self, lines: str) -> None:
        """gh as fake_gh.py has it, with attestations beside; all of its calls for them are written down."""
        log = self.folder / "attestations"
        self.program("gh", f'if [ "$1" = attestation ]; then echo "$*" >>"{log}"; exec test -e "{self.folder}/attested"; fi\n{lines}')

    def use(self, event: dict[str, Any] | None = None, environment: dict[str, str] | None = None, **given: str) -> Outcome:
        """Runs the action with inputs (`plan_file` is plan-file), as a step of a job."""
        document = yaml.safe_load(ACTION.read_text())
        inputs = {name: str(known.get("default", "")) for name, known in document["inputs"].items()}
        token = "token " + json.dumps(self.may)
        contexts: dict[str, Any] = {"github": {"token": token}, "steps": {}}
        inputs = filled(inputs, Scope(contexts)) | {name.replace("_", "-"): value for name, value in given.items()}
        assert set(inputs) == set(document["inputs"]), "inputs that the action does not have"
        contexts["inputs"] = inputs
        marker = self.folder / "attested"
        marker.touch() if self.attested else marker.unlink(missing_ok=True)
        (self.temp / "event.json").write_text(json.dumps(event or {}))
        for name in ("path", "output", "summary"):
            (self.temp / name).write_text("")
        code, log, uploaded = 0, [], {}
        for number, step in enumerate(document["runs"]["steps"]):
            condition = step.get("if")
            # An `if` of an action may stand without braces, as that of a workflow may.
            if not holds(condition, Scope(contexts, code != 0)):
                continue
            if "uses" in step:
                assert step["uses"].startswith("actions/upload-artifact@")
                what = filled(step["with"], Scope(contexts))
                # What is not there is a mistake of the action, and no artifact that is left out.
                assert what["if-no-files-found"] == "warn" and Path(what["path"] or "/nowhere").is_dir(), what
                uploaded[what["name"]] = sorted(file.name for file in Path(what["path"]).iterdir())
                continue
            assert step["shell"] == "bash"
            done = self.step(step, filled(step.get("env", {}), Scope(contexts)) | (environment or {}))
            log.append(done.out + done.err)
            outputs = dict(line.split("=", 1) for line in (self.temp / "output").read_text().splitlines())
            (self.temp / "output").write_text("")
            contexts["steps"][step.get("id", f"_{number}")] = {"outputs": outputs}
            code = code or done.code
        told = {name: known["value"] for name, known in document["outputs"].items()}
        return Outcome(code, "".join(log), {n: v or "" for n, v in filled(told, Scope(contexts)).items()}, uploaded)

    def step(self, step: dict[str, Any], environment: dict[str, str]) -> Result:
        path = (self.temp / "path").read_text().split()
        known = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_EVENT_PATH": str(self.temp / "event.json"),
            "GITHUB_OUTPUT": str(self.temp / "output"),
            "GITHUB_PATH": str(self.temp / "path"),
            "GITHUB_STEP_SUMMARY": str(self.temp / "summary"),
            "RUNNER_TEMP": str(self.temp),
            "KEYWRIGHT_RELEASES": f"file://{self.releases}",
            "PATH": ":".join([*path, self.programs]),
        }
        environment = {name: "" if value is None else str(value) for name, value in environment.items()}
        return run_script(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"], step["run"], self.checkout, self.environment() | known | environment
        )


@pytest.fixture
def job(keywright: Keywright, sandbox: Endpoint, tmp_path: Path) -> Iterator[Job]:
    job = Job(keywright.signed_in(ACCOUNT), sandbox, tmp_path / "job")
    with served(job.github.file, REPOSITORY) as gh:
        job.gh(gh)
        yield job


def live(job: Job) -> dict[str, str]:
    return {secret["Name"]: secret["Description"] for secret in client(job.endpoint).list_secrets()["SecretList"]}


def by_hand(job: Job) -> None:
    client(job.endpoint).update_secret(SecretId="dev/shop/db", Description="By hand")


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


# GitLab


def component(**given: str) -> dict[str, Any]:
    """The job that the component makes of its inputs, which are put into its text as GitLab does."""
    spec, text = COMPONENT.read_text().split("\n---\n")
    known = yaml.safe_load(spec)["spec"]["inputs"]
    given = {name.replace("_", "-"): value for name, value in given.items()}
    assert set(given) <= set(known)
    values = {name: given.get(name, entry.get("default")) for name, entry in known.items()}
    assert None not in values.values(), "an input without a default is missing"
    for name, entry in known.items():
        assert "regex" not in entry or re.search(entry["regex"].replace(r"\z", r"\Z"), values[name]), f"{name} is refused"
        assert "options" not in entry or values[name] in entry["options"], f"{name} is refused"
    shown = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in values.items()}

    def filled_in(node: Any) -> Any:
        """GitLab puts them into the values that it has read, and a list only where it is the whole of one."""
        if isinstance(node, dict):
            return {filled_in(key): filled_in(value) for key, value in node.items()}
        if isinstance(node, list):
            return [filled_in(value) for value in node]
        if isinstance(node, str) and (whole := re.fullmatch(r"\$\[\[ inputs\.([\w-]+) \]\]", node)) and isinstance(values[whole[1]], list):
            return values[whole[1]]
        return re.sub(r"\$\[\[ inputs\.([\w-]+) \]\]", lambda found: shown[found[1]], node) if isinstance(node, str) else node

    return filled_in(yaml.safe_load(text))


IMAGE = "registry.example.com/keywright-ci@sha256:" + "0" * 64


def gitlab(job: Job, variables: dict[str, str] | None = None, left: Path | None = None, **given: str) -> tuple[Result, Path]:
    """A job with variables that somebody set, in a checkout with what an earlier job left."""
    [(_, made)] = component(image=IMAGE, **given).items()
    place = job.folder / f"gitlab-{time.monotonic_ns()}"
    shutil.copytree(job.checkout, place)
    if left:
        shutil.copytree(left, place / "keywright-report", symlinks=True)
    script = "\n".join(made["script"]).replace("/usr/local/lib/keywright/run.sh", str(ROOT / "packaging/action/run.sh"))
    script = script.replace("/tmp/aws-token", str(place / "aws-token"))
    path = f"{job.keywright.binary.parent}:{job.programs}"
    environment = job.environment(PATH=path, CI_JOB_ID="1", AWS_TOKEN="token") | made.get("variables", {}) | (variables or {})
    return run_script(["bash", "-eo", "pipefail", "-c"], script, place, environment), place / "keywright-report"


def test_the_component_has_the_inputs_of_the_action() -> None:
    spec = yaml.safe_load(COMPONENT.read_text().split("\n---\n")[0])["spec"]["inputs"]
    action = yaml.safe_load(ACTION.read_text())["inputs"]
    # How a job gets keywright and where it shows a plan is GitLab's: an image, and a page of artifacts.
    of_github = {"comment", "comment-author", "artifact", "version", "sha256", "github-token"}
    assert set(action) - of_github == set(spec) - {"image", "job-name", "stage", "rules", "role", "region"}
    for name in set(action) - of_github - {"command"}:
        assert str(spec[name]["default"]).lower() == str(action[name].get("default", "")).lower(), name
    for image in ("registry.example.com/keywright-ci:latest", f"{IMAGE} x", IMAGE[:-1]):
        with pytest.raises(AssertionError, match="is refused"):
            component(command="plan", image=image)


def test_the_component_is_a_job_by_the_schema(tmp_path: Path) -> None:
    file = tmp_path / ".gitlab-ci.yml"
    file.write_text(yaml.safe_dump(component(command="plan", image=IMAGE)))
    judge(sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.gitlab-ci", file)
    recipe = CI / "gitlab-component/.gitlab-ci.yml"
    judge(sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci", recipe)


def test_each_job_of_the_example_has_a_script_in_each_pipeline(tmp_path: Path) -> None:
    recipe = yaml.safe_load((CI / "gitlab-component/.gitlab-ci.yml").read_text())
    project = {"CI_DEFAULT_BRANCH": "main", "CI_PROJECT_ID": "1"}
    main = project | {"CI_COMMIT_REF_NAME": "main"}
    sources = {
        "merge_request_event": project | {"CI_COMMIT_REF_NAME": "x", "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "1"},
        "schedule": main, "push": main | {"CI_COMMIT_BRANCH": "main"}, "fork": project | {"CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "2"},
    }  # fmt: skip
    run = {}
    for source, known in sources.items():
        known["CI_PIPELINE_SOURCE"] = "merge_request_event" if source == "fork" else source
        when = lambda rules, known=known: next((rule.get("when", "on_success") for rule in rules if matches(rule, known)), None)  # noqa: E731
        assert when(recipe["workflow"]["rules"]), f"there is no pipeline of a {source}"
        # What is included, if its own rules let it, and over it what the file says itself.
        whole = {name: made for name, made in recipe.items() if name not in ("include", "stages", "workflow")}
        for entry in recipe["include"]:
            if "rules" not in entry or when(entry["rules"]):
                for name, made in component(**{name.replace("-", "_"): value for name, value in entry["inputs"].items()}).items():
                    whole[name] = made | whole.get(name, {})
        assert all(made.get("script") and made["stage"] in recipe["stages"] for made in whole.values()), (source, whole)
        run[source] = {name: when(made["rules"]) for name, made in whole.items() if when(made["rules"])}
        file = tmp_path / f"{source}.yml"
        file.write_text(yaml.safe_dump(whole | {"stages": recipe["stages"], "workflow": recipe["workflow"]}))
        judge(sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.gitlab-ci", file)
    assert run == {
        "merge_request_event": {"keywright-plan": "on_success"}, "schedule": {"keywright-drift": "on_success"},
        "push": {"keywright-apply": "manual"}, "fork": {},
    }  # fmt: skip
    assert whole["keywright-apply"]["environment"] and whole["keywright-apply"]["resource_group"]


def matches(rule: dict[str, str], known: dict[str, str]) -> bool:
    def value(text: str) -> str:
        return text.strip('"') if text.startswith('"') else known.get(text[1:], "")

    sides = [re.fullmatch(r'(\$\w+) == (\$\w+|"[^"]*")', part).groups() for part in rule["if"].split(" && ")] if "if" in rule else []
    return all(value(left) == value(right) for left, right in sides)


def test_no_variable_takes_the_place_of_an_input(job: Job) -> None:
    spec = yaml.safe_load(COMPONENT.read_text().split("\n---\n")[0])["spec"]["inputs"]
    variables = {f"KEYWRIGHT_{name.upper().replace('-', '_')}": "222222222222" for name in spec} | {"KEYWRIGHT_COMMAND": "apply", "KEYWRIGHT_PLAN_FILE": "none"}
    done, report = gitlab(job, variables, command="plan", only_accounts=ACCOUNT)
    assert done.code == DONE and live(job) == {} and "dev/shop/db" in (report / "report.html").read_text(), done
    assert not (report.parent / "aws-token").exists()
    # Nothing of an input is a command, nor is it the end of a word.
    for text in ("$(touch hacked)", "`touch hacked`", "$HOME", '"; touch hacked; "', "\\"):
        done, report = gitlab(job, command="plan", only_accounts=ACCOUNT, target=text)
        assert done.code != DONE and not list(report.parent.rglob("hacked")), text
    for name in ("only_accounts", "role", "region", "project", "target", "flags", "plan_file"):
        for text in ("'; touch hacked; '", "a\nb", "a\n"):
            with pytest.raises(AssertionError, match="is refused"):
                component(command="plan", image=IMAGE, **{name: text})


def test_what_was_in_the_report_folder_is_not_believed(job: Job) -> None:
    left = job.folder / "left"
    left.mkdir()
    outside = job.folder / "outside"
    outside.write_text("mine")
    for name in ("report.html", "validate.json", "outputs.env", "journal.jsonl"):
        (left / name).symlink_to(outside)
    (left / "drift.json").write_text('{"hasDrift": true, "targets": []}')
    (left / "old.xml").write_text("<testsuites/>")
    (left / "approved.json").write_text("{}")
    done, report = gitlab(job, left=left, command="plan", only_accounts=ACCOUNT)
    assert done.code == DONE and {file.name for file in report.iterdir()} == {"approved.json", "outputs", "outputs.env", "report.html"}
    # A plan that is refused leaves none that could be approved.
    done, report = gitlab(job, left=left, command="plan", only_accounts="222222222222")
    assert done.code == GUARD and not (report / "approved.json").exists() and "plan-file=\n" in (report / "outputs").read_text(), done
    done, report = gitlab(job, left=left, command="drift", only_accounts="222222222222")
    assert done.code == GUARD and not (report / "old.xml").exists() and "has-changes=\n" in (report / "outputs").read_text(), done
    assert outside.read_text() == "mine"
    # The folder itself is a link: what it leads to stays.
    place = job.folder / "linked"
    shutil.copytree(job.checkout, place)
    (place / "keywright-report").symlink_to(left)
    path = f"{job.keywright.binary.parent}:{job.programs}"
    words = ["bash", str(ROOT / "packaging/action/run.sh")]
    done = run_script(words, "keywright-report/", place, job.environment(PATH=path, KEYWRIGHT_COMMAND="plan", KEYWRIGHT_ONLY_ACCOUNTS=ACCOUNT))
    assert (done.code, not (place / "keywright-report").is_symlink(), (left / "old.xml").exists()) == (DONE, True, True), done
    # What an earlier job left as the plan is what is applied, although it is in that folder.
    done, report = gitlab(job, command="plan", only_accounts=ACCOUNT)
    kept = job.folder / "kept"
    shutil.copytree(report, kept)
    by_file = {"command": "apply", "only_accounts": ACCOUNT, "plan_file": "keywright-report/approved.json"}
    assert gitlab(job, left=kept, **by_file)[0].code == DONE and set(live(job)) == {"dev/shop/api", "dev/shop/db"}
    assert gitlab(job, **by_file)[0].code == USAGE


def test_the_component_runs_what_the_action_runs(job: Job) -> None:
    done, report = gitlab(job, command="plan", only_accounts=ACCOUNT, role=f"arn:aws:iam::{ACCOUNT}:role/keywright-plan", region="eu-west-1")
    # What takes the role is in a file that nobody else can read.
    token = report.parent / "aws-token"
    assert token.read_text() == "token" and token.stat().st_mode & 0o077 == 0
    done, report = gitlab(job, command="plan", only_accounts=ACCOUNT)
    assert not (report.parent / "aws-token").exists()
    assert done.code == DONE and "dev/shop/db" in (report / "report.html").read_text(), done
    told = dict(line.split("=", 1) for line in (report / "outputs.env").read_text().splitlines())
    assert told["KEYWRIGHT_HAS_CHANGES"] == "true" and told["KEYWRIGHT_CODE"] == "0" and len(told["KEYWRIGHT_PLAN_FINGERPRINT"]) == 71
    assert set(told) == {"KEYWRIGHT_HAS_CHANGES", "KEYWRIGHT_CODE", "KEYWRIGHT_FINDINGS", "KEYWRIGHT_PLAN_FINGERPRINT"}
    assert gitlab(job, command="apply", plan_file="none", only_accounts=ACCOUNT)[0].code == DONE and set(live(job)) == {"dev/shop/api", "dev/shop/db"}
    by_hand(job)
    done, report = gitlab(job, command="drift", only_accounts=ACCOUNT)
    assert done.code == CHANGES and "<failure" in (report / "drift.xml").read_text(), done
    assert gitlab(job, command="drift", only_accounts=ACCOUNT, fail_on_found="false")[0].code == DONE
    assert gitlab(job, command="apply", plan_file="none")[0].code == USAGE
    assert gitlab(job, command="inventory", only_accounts=ACCOUNT)[0].code == DONE
