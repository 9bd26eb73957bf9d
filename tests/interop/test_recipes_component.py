"""The GitLab component and its example: their jobs as they run, against the sandbox."""

from __future__ import annotations

import re
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from action import ACTION, COMPONENT, ROOT, Job, by_hand, live, on_github
from aws import Endpoint
from command import CHANGES, DONE, GUARD, USAGE, Keywright, Result
from furnished import ACCOUNT
from recipes import CI, run_script
from test_recipes import judge


@pytest.fixture
def job(keywright: Keywright, sandbox: Endpoint, tmp_path: Path) -> Iterator[Job]:
    with on_github(keywright, sandbox, tmp_path) as job:
        yield job


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
