"""The GitLab recipe over two accounts: its jobs as GitLab runs them, one for each row of the matrix."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from aws import Endpoint
from command import CHANGES, DONE, ERROR, GUARD, STALE, Keywright, Result
from furnished import client
from hub import PROD, STAGING, secret
from hub import PROJECT as TWO_TARGETS
from recipes import CI, Checkout, run_script
from test_recipes import judge

RECIPE = CI / "gitlab/.gitlab-ci.yml"


class GitLab(Checkout):
    """A project on GitLab, with two accounts behind it. Each job gets a clone of the commit, the cache of its key and the artifacts of the jobs
    that it needs."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.jq()
        self.document = yaml.safe_load(RECIPE.read_text())
        self.jobs, self.down = 0, set[str]()
        shutil.copytree(CI / "gitlab/keywright", self.checkout / ".gitlab/keywright")
        for script in ["plan.sh", "overrides.sh"]:
            shutil.copy(CI / "github/keywright" / script, self.checkout / ".gitlab/keywright")
        (self.checkout / "keywright.yaml").write_text(TWO_TARGETS)
        self.commit("the project", db=secret("db", "The database"))
        self.push()

    def push(self) -> str:
        self.git("push", "--quiet", "--force", "origin", "HEAD:refs/heads/main")
        return self.git("rev-parse", "HEAD")

    def defined(self, name: str) -> dict[str, Any]:
        """A job with what it extends."""
        job = self.document[name]
        if parent := job.get("extends"):
            base = self.defined(parent)
            job = base | job | {"variables": base.get("variables", {}) | job.get("variables", {})}
        return job

    def pipeline(self, source: str, before: str | None = None) -> Pipeline:
        commit = self.git("rev-parse", "HEAD")
        self.git("push", "--quiet", "origin", f"HEAD:refs/heads/pipeline-{self.jobs}")
        known = {
            "CI_PIPELINE_SOURCE": source,
            "CI_DEFAULT_BRANCH": "main",
            "CI_PROJECT_ID": "1",
            "CI_SERVER_URL": "https://gitlab.example.com",
            "CI_COMMIT_SHA": commit,
        }
        if source == "merge_request_event":
            known |= {"CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "1", "CI_MERGE_REQUEST_DIFF_BASE_SHA": before or ""}
        else:
            known |= {"CI_COMMIT_BRANCH": "main", "CI_COMMIT_REF_NAME": "main", "CI_COMMIT_BEFORE_SHA": before or "0" * 40}
        return Pipeline(self, commit, known)


class Pipeline:
    def __init__(self, project: GitLab, commit: str, known: dict[str, str]) -> None:
        self.project, self.commit, self.known = project, commit, known
        project.jobs += 1
        self.artifacts = project.folder / f"artifacts-{project.jobs}"
        self.artifacts.mkdir()

    def starts(self, name: str) -> str | None:
        """When a job starts: on_success, manual, or never."""
        for rule in self.project.defined(name)["rules"]:
            parts = rule["if"].split(" && ")
            sides = [re.fullmatch(r'(\$\w+) == (\$\w+|"[^"]*")', part).groups() for part in parts]
            value = lambda text: text.strip('"') if text.startswith('"') else self.known.get(text[1:], "")  # noqa: E731
            if all(value(left) == value(right) for left, right in sides):
                return rule.get("when", "on_success")
        return None

    def run(self, name: str, **variables: str) -> dict[str, Result]:
        """Runs a job for each row of its matrix."""
        job = self.project.defined(name)
        assert self.starts(name), f"the rules leave {name} out"
        rows = job.get("parallel", {}).get("matrix", [{}])
        return {row.get("KEYWRIGHT_TARGET", ""): self.leg(name, row, variables) for row in rows}

    def leg(self, name: str, row: dict[str, str], given: dict[str, str]) -> Result:
        hub, job = self.project, self.project.defined(name)
        hub.jobs += 1
        place = hub.folder / f"job-{hub.jobs}"
        hub.git("clone", "--quiet", hub.folder / "origin.git", place, cwd=hub.folder)
        hub.git("checkout", "--quiet", "--detach", self.commit, cwd=place)
        needed = set(job.get("needs", []))
        for kept in sorted(self.artifacts.iterdir()):
            if kept.name.split("@")[0] in needed:
                shutil.copytree(kept, place, dirs_exist_ok=True)
        known = self.known | {"CI_PROJECT_DIR": str(place), "CI_JOB_ID": str(hub.jobs), "AWS_TOKEN": "token"}
        for more in (hub.document["variables"], job.get("variables", {}), row, given):
            known |= more

        def filled(text: str) -> str:
            return re.sub(r"\$(\w+)", lambda found: known.get(found[1], ""), str(text))

        known = {variable: filled(filled(text)) for variable, text in known.items()}
        # The role that the job asks for is in the account that it may reach.
        cache = job.get("cache")
        shelf = hub.folder / f"cache-{filled(cache['key'])}" if cache else None
        if shelf and shelf.exists():
            shutil.copytree(shelf, place, dirs_exist_ok=True)
        script = [line for key in ("before_script", "script") for line in job.get(key, [])]
        # Instead of STS: the account of the role is the access key.
        role = known.get("KEYWRIGHT_ROLE", "")
        account = role.split(":")[4] if role else ""
        own = Keywright(hub.keywright.binary, hub.keywright.home)
        own = own.signed_in(account) if account else own
        environment = own.environment(
            PATH=hub.programs,
            AWS_ENDPOINT_URL="http://127.0.0.1:1" if account in hub.down else hub.endpoint.url,
            **hub.python(),
        )
        # The endpoint has no roles to take; that it is asked for, and which, is seen here.
        assert not role or any("AWS_ROLE_ARN" in line for line in script)
        script = [line for line in script if "aws-token" not in line and "AWS_ROLE_ARN" not in line]
        done = run_script(["bash", "-eo", "pipefail", "-c"], "\n".join(script), place, environment | known)
        if cache and shelf and cache.get("policy") != "pull":
            for path in cache["paths"]:
                if (place / path).exists():
                    shutil.copytree(place / path, shelf / path, dirs_exist_ok=True)
        kept = self.artifacts / f"{name}@{known.get('KEYWRIGHT_TARGET', '')}"
        shutil.rmtree(kept, ignore_errors=True)
        for pattern in job.get("artifacts", {}).get("paths", []):
            for path in place.glob(pattern.rstrip("/")):
                goal = kept / path.relative_to(place)
                if path.is_dir():
                    shutil.copytree(path, goal, dirs_exist_ok=True)
                else:
                    goal.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(path, goal)
        if report := job.get("artifacts", {}).get("reports", {}).get("junit"):
            shutil.copy(place / report, hub.folder / f"{known['KEYWRIGHT_TARGET']}.xml")
        shutil.rmtree(place)
        return done

    def page(self, target: str) -> str:
        return (self.artifacts / f"plan@{target}/keywright-plan/{target}/plan.html").read_text()

    def fingerprint(self, target: str) -> str:
        """What a reader of the page copies."""
        return re.search(r"sha256:([0-9a-f]{64})", self.page(target))[1]

    def apply(self, target: str, approved: str | None = None) -> Result:
        job = "apply-canary" if target == "staging" else "apply"
        return self.run(job, KEYWRIGHT_APPROVED=approved or self.fingerprint(target))[target]


@pytest.fixture
def project(keywright: Keywright, sandbox: Endpoint, tmp_path: Path) -> GitLab:
    return GitLab(keywright, sandbox, tmp_path / "gitlab")


def live(project: GitLab, target: str) -> dict[str, str]:
    account = {"staging": STAGING, "prod": PROD}[target]
    found = client(project.endpoint, account).list_secrets()["SecretList"]
    return {secret["Name"].removeprefix(f"{target}/shop/"): secret["Description"] for secret in found}


@pytest.fixture
def begun(project: GitLab) -> GitLab:
    pipeline = project.pipeline("push")
    assert {result.code for result in pipeline.run("plan").values()} == {DONE}
    for target in ("staging", "prod"):
        done = pipeline.apply(target)
        assert done.code == DONE and live(project, target) == {"db": "The database"}, done
    return project


def test_the_recipe_by_its_schema_and_its_rules(project: GitLab) -> None:
    judge(
        sys.executable, "-m", "check_jsonschema",
        "--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci", RECIPE,
    )  # fmt: skip
    for name in ("apply", "apply-canary"):
        job = project.defined(name)
        assert job["resource_group"] == "keywright-apply-$KEYWRIGHT_TARGET" and job["rules"][0]["when"] == "manual"
    # One matrix: every job that has a role takes its rows from there, and applies have each row once.
    rows = project.document[".targets"]
    for name in ("plan", "drift"):
        assert project.defined(name)["parallel"]["matrix"] == rows
    assert [*project.defined("apply-canary")["parallel"]["matrix"], *project.defined("apply")["parallel"]["matrix"]] == rows
    for row in rows:
        assert all(row[kind].split(":")[4] == row["KEYWRIGHT_ONLY_ACCOUNTS"] for kind in ("PLAN_ROLE", "APPLY_ROLE", "DRIFT_ROLE"))
    fork = project.pipeline("merge_request_event")
    fork.known["CI_MERGE_REQUEST_SOURCE_PROJECT_ID"] = "2"
    assert fork.starts("validate") and not fork.starts("plan") and not fork.starts("apply") and not fork.starts("drift")


def test_each_account_is_planned_and_applied_and_looked_at(begun: GitLab) -> None:
    before = begun.git("rev-parse", "HEAD")
    begun.commit("cache", cache=secret("cache", "The cache"))
    merge_request = begun.pipeline("merge_request_event", before)
    assert merge_request.run("validate")[""].code == DONE
    begun.push()
    assert {target: done.code for target, done in merge_request.run("plan").items()} == {"staging": DONE, "prod": DONE}
    assert "staging/shop/cache" in merge_request.page("staging") and STAGING not in merge_request.page("prod")
    drift = begun.pipeline("schedule").run("drift")
    assert {target: done.code for target, done in drift.items()} == {"staging": CHANGES, "prod": CHANGES}
    pipeline = begun.pipeline("push", before)
    pipeline.run("plan")
    assert pipeline.apply("staging").code == pipeline.apply("prod").code == DONE
    assert live(begun, "prod") == {"db": "The database", "cache": "The cache"}
    assert {done.code for done in begun.pipeline("schedule").run("drift").values()} == {DONE}


def test_a_target_that_is_down_is_an_error_and_no_drift(begun: GitLab) -> None:
    client(begun.endpoint, STAGING).update_secret(SecretId="staging/shop/db", Description="By hand")
    begun.down = {PROD}
    drift = begun.pipeline("schedule").run("drift")
    assert {target: done.code for target, done in drift.items()} == {"staging": CHANGES, "prod": ERROR}
    staging, prod = ((begun.folder / f"{target}.xml").read_text() for target in ("staging", "prod"))
    assert "<failure" in staging and "<error" not in staging
    assert "<error" in prod and "<failure" not in prod


def test_a_plan_that_was_made_again_is_not_the_one_that_was_read(begun: GitLab) -> None:
    before = begun.git("rev-parse", "HEAD")
    begun.commit("cache", cache=secret("cache", "The cache"))
    begun.push()
    pipeline = begun.pipeline("push", before)
    pipeline.run("plan")
    read = pipeline.fingerprint("staging")
    client(begun.endpoint, STAGING).update_secret(SecretId="staging/shop/db", Description="By hand")
    pipeline.run("plan")
    for approved in (read, "", read[:11], "0" * 64):
        done = pipeline.run("apply-canary", KEYWRIGHT_APPROVED=approved)["staging"]
        assert done.code == STALE and "nothing was applied" in done.out, done
    assert live(begun, "staging") == {"db": "By hand"}
    assert pipeline.apply("staging", pipeline.fingerprint("staging")[:12]).code == DONE
    assert live(begun, "staging") == {"db": "The database", "cache": "The cache"}


def test_three_quick_merges_are_one_plan_and_the_older_ones_are_not_applied_any_more(begun: GitLab) -> None:
    pipelines = []
    for number in (2, 3, 4):
        before = begun.git("rev-parse", "HEAD")
        begun.commit(f"merge {number}", **{f"s{number}": secret(f"s{number}", f"Number {number}")})
        begun.push()
        pipelines.append(begun.pipeline("push", before))
        pipelines[-1].run("plan")
    done = pipelines[0].apply("prod")
    assert done.code == ERROR and "is older than main" in done.out, done
    assert pipelines[2].apply("prod").code == DONE
    assert live(begun, "prod") == {"db": "The database", "s2": "Number 2", "s3": "Number 3", "s4": "Number 4"}
    done = pipelines[1].apply("prod")
    assert done.code == ERROR and "is older than main" in done.out, done


def remove_two(begun: GitLab) -> str:
    """Two secrets more, applied, and then without manifests: one more than may be deleted at once."""
    before = begun.git("rev-parse", "HEAD")
    begun.commit("more", a=secret("a", "A"), b=secret("b", "B"))
    begun.push()
    pipeline = begun.pipeline("push", before)
    pipeline.run("plan")
    assert pipeline.apply("staging").code == pipeline.apply("prod").code == DONE
    before = begun.git("rev-parse", "HEAD")
    for name in "ab":
        (begun.checkout / f"secrets/{name}.yaml").unlink()
    return before


def test_a_guard_is_overridden_by_a_file_of_the_merge_request(begun: GitLab) -> None:
    before = remove_two(begun)
    head = begun.commit("remove two")
    begun.push()
    done = begun.pipeline("merge_request_event", before).run("plan")["prod"]
    assert done.code == GUARD and "keywright-overrides" in done.out, done
    begun.git("checkout", "--quiet", head)
    override = {"reason": "Retired", "overrides": [{"guard": "max-deletes", "secrets": [f"{t}/shop/{n}" for t in ("staging", "prod") for n in "ab"]}]}
    (begun.checkout / "keywright-overrides").mkdir()
    (begun.checkout / "keywright-overrides/retired.json").write_text(json.dumps(override))
    begun.commit("with an override")
    begun.push()
    merge_request = begun.pipeline("merge_request_event", before)
    assert merge_request.run("plan")["prod"].code == DONE
    assert "Guards overridden for this plan" in merge_request.page("prod") and "<code>Retired</code>" in merge_request.page("prod")
    # Merged, and nobody starts the job; then another merge, whose plan holds the first one too.
    merged = begun.git("rev-parse", "HEAD")
    begun.commit("more", c=secret("c", "C"))
    begun.push()
    pipeline = begun.pipeline("push", merged)
    assert {done.code for done in pipeline.run("plan").values()} == {DONE}
    assert pipeline.apply("staging").code == pipeline.apply("prod").code == DONE
    assert live(begun, "prod") == {"db": "The database", "c": "C"}
    journal = (pipeline.artifacts / "apply@prod/keywright-plan/prod/journal.jsonl").read_text().splitlines()
    assert all(json.loads(line)["guardOverrides"] == ["--max-deletes 2"] for line in journal) and len(journal) == 3
    # For that plan alone: the file is still there, and counts no longer.
    before = remove_two(begun)
    begun.commit("remove two again")
    begun.push()
    assert begun.pipeline("push", before).run("plan")["prod"].code == GUARD
