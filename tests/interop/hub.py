"""GitHub, played: pull requests, reviews, merges, and whole workflows of examples/ci, job by job, on machines that know nothing.

A job's checkout, shell, environment, needs, matrix, outputs, conditions, artifacts and permissions are as GitHub documents
them. A role is given only to whom its trust policy in examples/ci/iam lets take it. `gh` is fake_gh.py, over the same file."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from aws import Endpoint
from command import Keywright, Result
from expressions import Scope, filled, holds
from recipes import CI, REPOSITORY, Checkout, GitHub, run_script

PULL, APPLY, DRIFT = "keywright-pull-request.yml", "keywright-apply.yml", "keywright-drift.yml"
STAGING, PROD = "111111111111", "222222222222"

PROJECT = """apiVersion: keywright/v1
kind: Project
metadata: { name: shop }
spec:
  manifests: [secrets/]
  prune: delete
  guards: { maxDeletes: 1 }
  targets:
    - { name: staging, account: "111111111111", region: eu-west-1 }
    - { name: prod, account: "222222222222", region: eu-west-1 }
  scope: { namePrefixes: ["${target.name}/shop/"] }
"""


def secret(name: str, description: str) -> str:
    return f"""apiVersion: keywright/v1
kind: Secret
metadata: {{ name: "${{target.name}}/shop/{name}" }}
spec: {{ description: {description} }}
"""


@dataclass
class Leg:
    """A job as it ran: one for each combination of its matrix."""

    job: str
    matrix: dict[str, Any]
    code: int
    log: str
    outputs: dict[str, str] = field(default_factory=dict)


@dataclass
class Run:
    """A run of a workflow. It stops where an environment waits for its reviewers, and goes on when it is gone on with."""

    hub: Hub
    workflow: str
    event: dict[str, Any]
    id: int
    inputs: dict[str, Any] = field(default_factory=dict)
    attempt: int = 1
    # Environments whose reviewers have said yes.
    reviewed: set[str] = field(default_factory=set)
    results: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    legs: list[Leg] = field(default_factory=list)
    # Jobs that are taken for done, where a test is about others.
    taken_for_done: set[str] = field(default_factory=set)

    @property
    def log(self) -> str:
        return "\n".join(f"[{leg.job} {leg.matrix.get('target', '')}] {leg.log}" for leg in self.legs)

    def codes(self, job: str) -> dict[str, int]:
        """How a job ended for each target."""
        return {leg.matrix["target"]: leg.code for leg in self.legs if leg.job == job}

    def go(self) -> Run:
        """Goes on as far as it can."""
        document = yaml.safe_load((CI / "github/workflows" / self.workflow).read_text())
        for name, job in document["jobs"].items():
            needs = [job["needs"]] if isinstance(job.get("needs"), str) else job.get("needs", [])
            if name in self.results or not all(need in self.results for need in needs):
                continue
            known = {need: {"result": self.results[need], "outputs": self.outputs.get(need, {})} for need in needs}
            self.job(document, name, job, known)
        return self

    def again(self, *jobs: str) -> Run:
        """Runs some jobs again, as the button does: all that failed, or those that are named, with all behind them. What an
        environment was asked for before counts no longer."""
        document = yaml.safe_load((CI / "github/workflows" / self.workflow).read_text())
        chosen = set(jobs) or {name for name, result in self.results.items() if result == "failure"}
        for name, job in document["jobs"].items():
            needs = [job["needs"]] if isinstance(job.get("needs"), str) else job.get("needs", [])
            if name in chosen or chosen & set(needs):
                chosen.add(name)
                self.results.pop(name, None)
        self.reviewed = set()
        self.attempt += 1
        self.legs = []
        return self.go()

    def contexts(self, known: dict[str, Any], matrix: dict[str, Any], inputs: dict[str, Any] | None = None) -> dict[str, Any]:
        return {
            "github": {**self.event, "run_id": self.id, "run_attempt": self.attempt, "repository": REPOSITORY, "token": "token"},
            "vars": {} if self.hub.is_fork(self.event) else self.hub.variables,
            "inputs": self.inputs if inputs is None else inputs,
            "matrix": matrix,
            "needs": known,
        }

    def job(self, document: Any, name: str, job: Any, known: dict[str, Any], called: dict[str, Any] | None = None) -> None:
        failed = any(need["result"] != "success" for need in known.values())
        scope = Scope(self.contexts(known, {}, called), failed)
        if not holds(job.get("if"), scope):
            self.results[name] = "skipped"
            return
        if name in self.taken_for_done:
            self.results[name] = "success"
            return
        environment = job.get("environment")
        if environment == "keywright-reviewed" and environment not in self.reviewed:
            return
        strategy = filled(job.get("strategy", {}), scope)
        ended = []
        for matrix in strategy.get("matrix", {}).get("include", [{}]):
            scope = Scope(self.contexts(known, matrix, called), False)
            if "uses" in job:
                inner = yaml.safe_load((CI / "github/workflows" / Path(job["uses"]).name).read_text())
                [(inner_name, inner_job)] = inner["jobs"].items()
                given = filled(job["with"], scope)
                assert set(given) == set(inner[True]["workflow_call"]["inputs"])
                # The caller's permissions are the most that the called one may have.
                assert inner_job["permissions"].items() <= job["permissions"].items()
                leg = self.hub.machine(self, inner, inner_name, inner_job, Scope(self.contexts({}, {}, given)))
                leg = Leg(name, matrix, leg.code, leg.log, leg.outputs)
            else:
                leg = self.hub.machine(self, document, name, job, scope)
                leg.matrix = matrix
            self.legs.append(leg)
            ended.append(leg)
        self.results[name] = "success" if all(leg.code == 0 for leg in ended) else "failure"
        self.outputs[name] = ended[-1].outputs


@dataclass
class Hub(Checkout):
    """The repository on GitHub, with two accounts behind it."""

    keywright: Keywright
    endpoint: Endpoint
    folder: Path
    project: str = "."
    machines: int = 0
    # Accounts that cannot be reached.
    down: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.github = GitHub(self.folder / "github.json")
        self.github.write()
        self.variables = {"KEYWRIGHT_TARGETS": (CI / "github/targets.json").read_text()}
        # `docker create` names a container, `docker cp CONTAINER:/keywright FILE` takes the binary out of it; a link is faster.
        docker = f'case $1 in create) echo c1;; cp) [ "$2" = c1:/keywright ] && ln -s "{self.keywright.binary}" "$3";; esac'
        self.jq()
        self.program("docker", docker)
        shutil.copytree(CI / "github", self.checkout / ".github")
        (self.checkout / "keywright.yaml").write_text(PROJECT)
        (self.checkout / "secrets/.gitkeep").touch()
        self.commit("the project")
        self.push()

    def push(self) -> str:
        """Pushes what is checked out to main, past any pull request."""
        self.git("push", "--quiet", "origin", "HEAD:refs/heads/main")
        return self.git("rev-parse", "HEAD")

    def tick(self) -> str:
        """Time goes on by a second, and this is it."""
        return self.github.tick()

    def is_fork(self, event: dict[str, Any]) -> bool:
        pull = event["event"].get("pull_request")
        return bool(pull) and pull["head"]["repo"]["full_name"] != REPOSITORY

    # Pull requests

    def open(
        self, number: int, message: str, files: dict[str, str | None] | None = None, base: str = "main", **manifests: str
    ) -> str:
        """A branch with a commit on it, and a pull request of it; `files` are other files, None for one that is removed."""
        self.git("checkout", "--quiet", "-B", f"branch-{number}", base)
        return self.change(number, message, files, **manifests)

    def change(self, number: int, message: str, files: dict[str, str | None] | None = None, **manifests: str) -> str:
        """Another commit on it, pushed."""
        for name, text in (files or {}).items():
            path = self.checkout / name
            if text is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
        head = self.commit(message, **manifests)
        self.git("push", "--quiet", "--force", "origin", f"HEAD:refs/pull/{number}/head")
        self.merge_ref(number, head)
        return head

    def merge_ref(self, number: int, head: str) -> None:
        """What GitHub would merge: the commit that a pull request's jobs check out."""
        self.git("checkout", "--quiet", "--detach", "main")
        self.git("merge", "--quiet", "--no-ff", "--message", "test merge", head)
        self.git("push", "--quiet", "--force", "origin", f"HEAD:refs/pull/{number}/merge")
        self.git("checkout", "--quiet", "--detach", head)

    def planned(self, number: int, fork: bool = False, taken_for_done: set[str] | None = None) -> Run:
        """The workflow of a pull request, as it is now."""
        head = self.git("ls-remote", "origin", f"refs/pull/{number}/head").split()[0]
        owner = "mallory/secrets" if fork else REPOSITORY
        pull = {"number": number, "head": {"sha": head, "repo": {"full_name": owner}}, "user": {"login": "dev"}}
        event = {"event_name": "pull_request", "ref": f"refs/pull/{number}/merge", "sha": head, "event": {"pull_request": pull}}
        return self.start(PULL, event, head, fork, taken_for_done)

    def start(
        self, workflow: str, event: dict[str, Any], head: str, fork: bool = False,
        taken_for_done: set[str] | None = None, **inputs: Any,
    ) -> Run:  # fmt: skip
        known = self.github.read()
        run = Run(self, workflow, event, len(known["runs"]) + 1, inputs, taken_for_done=taken_for_done or set())
        self.github.write(
            runs=[
                *known["runs"],
                {
                    "id": run.id,
                    "head_sha": head,
                    "event": event["event_name"],
                    "path": f".github/workflows/{workflow}",
                    "repository": {"id": 1},
                    "head_repository": {"id": 2 if fork else 1},
                },
            ]
        )
        return run.go()

    def review(
        self, number: int, login: str = "ada", state: str = "APPROVED", permission: str = "write", commit: str | None = None
    ) -> None:
        known = self.github.read()
        head = commit or self.git("ls-remote", "origin", f"refs/pull/{number}/head").split()[0]
        at = self.tick()
        review = {"id": len(known["calls"]) + 1000, "user": {"login": login}, "state": state, "commit_id": head, "submitted_at": at}
        reviews = known["reviews"] | {str(number): [*known["reviews"].get(str(number), []), review]}
        self.github.write(reviews=reviews, permissions=known["permissions"] | {login: permission})
        self.tick()

    def approved(self, number: int, message: str, **more: Any) -> str:
        """A pull request that was planned and approved."""
        head = self.open(number, message, **more)
        run = self.planned(number, taken_for_done={"validate"})
        assert run.results["result"] == "success", run.log
        self.review(number)
        return head

    def merge(self, number: int, how: str = "merge") -> str:
        """Merges as GitHub's button does, and returns the newest commit."""
        head = self.git("ls-remote", "origin", f"refs/pull/{number}/head").split()[0]
        before = self.git("rev-parse", "main")
        self.git("checkout", "--quiet", "main")
        if how == "merge":
            self.git("merge", "--quiet", "--no-ff", "--message", f"merge {number}", head)
        elif how == "squash":
            self.git("merge", "--quiet", "--squash", head)
            self.git("commit", "--quiet", "--message", f"squash {number}")
        else:
            self.git("cherry-pick", "--allow-empty", f"{self.git('merge-base', 'main', head)}..{head}")
        merged = self.push()
        pull = {"number": number, "merged_at": self.tick(), "merge_commit_sha": merged, "head": {"sha": head}, "base": {"ref": "main"}}
        still_open = {"number": 99, "merged_at": None, "merge_commit_sha": merged, "head": {"sha": "0" * 40}, "base": {"ref": "main"}}
        new = self.git("rev-list", "--first-parent", f"{before}..{merged}").split()
        self.github.write(pulls=self.github.read()["pulls"] | {commit: [still_open, pull] for commit in new})
        return merged

    def pushed(self, commit: str | None = None) -> Run:
        """The workflow that runs on a merge."""
        head = commit or self.git("rev-parse", "main")
        return self.start(APPLY, {"event_name": "push", "ref": "refs/heads/main", "sha": head, "event": {}}, head)

    def by_hand(self, flags: str = "") -> Run:
        """*keywright apply*, Run workflow; it waits for the reviewers of its environment."""
        head = self.git("rev-parse", "main")
        event = {"event_name": "workflow_dispatch", "ref": "refs/heads/main", "sha": head, "event": {}}
        return self.start(APPLY, event, head, flags=flags)

    def approve_environment(self, run: Run) -> Run:
        run.reviewed.add("keywright-reviewed")
        return run.go()

    def drift(self) -> Run:
        head = self.git("rev-parse", "main")
        return self.start(DRIFT, {"event_name": "schedule", "ref": "refs/heads/main", "sha": head, "event": {}}, head)

    def apply_at_once(self) -> None:
        """What is on main is live in both accounts, and was applied by the recipe."""
        head, known = self.git("rev-parse", "main"), self.github.read()["statuses"]
        told = []
        for target, account in {"staging": STAGING, "prod": PROD}.items():
            place = {"AWS_ENDPOINT_URL": self.endpoint.url}
            done = self.keywright.signed_in(account).run("apply", "-C", self.checkout, "-t", target, "--yes", **place)
            assert done.code == 0, done
            told.append({"context": f"keywright/{target}", "state": "success", "creator": {"login": "github-actions[bot]"}})
        self.github.write(statuses=known | {head: told})

    def statuses(self, commit: str, target: str) -> list[str]:
        """What is told of a commit, oldest first."""
        told = self.github.read()["statuses"].get(commit, [])
        return [status["state"] for status in reversed(told) if status["context"] == f"keywright/{target}"]

    # Machines

    def machine(self, run: Run, document: Any, name: str, job: Any, scope: Scope) -> Leg:
        """Runs a job on a machine of its own, which is gone afterwards."""
        self.machines += 1
        place = self.folder / f"machine-{self.machines}"
        work, temp = place / "work", place / "temp"
        work.mkdir(parents=True)
        temp.mkdir()
        scope.contexts |= {"runner": {"temp": str(temp)}, "steps": {}}
        base = filled(document.get("env", {}), scope) | filled(job.get("env", {}), scope)
        machine = Machine(self, run, job, work, temp, {n: str(v if v is not None else "") for n, v in base.items()})
        code, log = 0, []
        for number, step in enumerate(job["steps"]):
            if not holds(step.get("if"), Scope(scope.contexts, code != 0)):
                continue
            if "run" in step:
                result = machine.shell(step, scope)
                log.append(result.out + result.err)
                outputs = dict(line.split("=", 1) for line in (temp / "output").read_text().splitlines())
                scope.contexts["steps"] |= {step.get("id", f"_{number}"): {"outputs": outputs}}
                code = code or result.code
            else:
                machine.action(step["uses"].split("@")[0], filled(step.get("with", {}), scope))
        outputs = {n: str(v if v is not None else "") for n, v in filled(job.get("outputs", {}), scope).items()}
        shutil.rmtree(place)
        return Leg(name, {}, code, "".join(log), outputs)


@dataclass
class Machine:
    hub: Hub
    run: Run
    job: Any
    work: Path
    temp: Path
    base: dict[str, str]
    credentials: dict[str, str] = field(default_factory=dict)

    def shell(self, step: Any, scope: Scope) -> Result:
        """A step's `run`, with the shell that GitHub gives it."""
        (self.temp / "output").write_text("")
        extra = {name: str(value if value is not None else "") for name, value in filled(step.get("env", {}), scope).items()}
        path = (self.temp / "path").read_text().split() if (self.temp / "path").exists() else []
        if "GH_TOKEN" in extra:
            # What the token may do, for fake_gh.py.
            extra["GH_TOKEN"] = "token " + json.dumps(self.job["permissions"])
        environment = Keywright(self.hub.keywright.binary, self.hub.keywright.home).environment(
            PATH=":".join([*path, self.hub.programs]),
            RUNNER_TEMP=str(self.temp),
            GITHUB_REPOSITORY=REPOSITORY,
            GITHUB_RUN_ID=str(self.run.id),
            GITHUB_SHA=self.run.event["sha"],
            GITHUB_EVENT_NAME=self.run.event["event_name"],
            GITHUB_STEP_SUMMARY=str(self.hub.folder / f"summary-{self.run.id}.md"),
            GITHUB_OUTPUT=str(self.temp / "output"),
            GITHUB_PATH=str(self.temp / "path"),
            GIT_CONFIG_GLOBAL="/dev/null",
            **self.hub.python(),
            **self.credentials,
            **self.base,
        )
        return run_script(["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"], step["run"], self.work, environment | extra)

    def action(self, name: str, given: dict[str, Any]) -> None:
        match name:
            case "actions/checkout":
                self.check_out(given)
            case "actions/upload-artifact":
                self.upload(given)
            case "actions/download-artifact":
                self.download(given)
            case "aws-actions/configure-aws-credentials":
                self.assume(given)
            case "actions/cache":
                pass
            case _:
                raise AssertionError(f"this interpreter has no action {name}")

    def check_out(self, given: dict[str, Any]) -> None:
        origin, git = f"file://{self.hub.folder / 'origin.git'}", self.hub.git
        git("init", "--quiet", "--initial-branch=scratch", cwd=self.work)
        git("remote", "add", "origin", origin, cwd=self.work)
        ref = given.get("ref") or self.run.event["ref"]
        ref = ref if ref.startswith("refs/") else f"refs/heads/{ref}"
        # A run on a branch checks out its own commit, wherever the branch is by now.
        exact = ref == self.run.event["ref"] and ref.startswith("refs/heads/") and "ref" not in given
        depth = given.get("fetch-depth", 1)
        what = self.run.event["sha"] if exact else ref
        if depth == 0:
            git("fetch", "--quiet", "origin", "+refs/heads/*:refs/remotes/origin/*", cwd=self.work)
        git("fetch", "--quiet", *([f"--depth={depth}"] if depth else []), "origin", what, cwd=self.work)
        git("checkout", "--quiet", "--detach", "FETCH_HEAD", cwd=self.work)

    def upload(self, given: dict[str, Any]) -> None:
        files = [Path(line.strip()) for line in given["path"].splitlines()]
        files = [file for file in files if file.exists()]
        if not files:
            assert given.get("if-no-files-found") == "ignore", f"nothing to upload as {given['name']}"
            return
        self.hub.github.store(given["name"], files, self.run.id, given.get("overwrite", False))

    def download(self, given: dict[str, Any]) -> None:
        mine = [a for a in self.hub.github.read()["artifacts"] if a["run"] == self.run.id]
        if "name" in given:
            [artifact] = [a for a in mine if a["name"] == given["name"]]
            shutil.copytree(artifact["folder"], given["path"], dirs_exist_ok=True)
            return
        pattern = re.escape(given["pattern"]).replace(r"\*", ".*")
        for artifact in mine:
            if re.fullmatch(pattern, artifact["name"]):
                shutil.copytree(artifact["folder"], Path(given["path"]) / artifact["name"], dirs_exist_ok=True)
        Path(given["path"]).mkdir(exist_ok=True)

    def assume(self, given: dict[str, Any]) -> None:
        """Takes a role, when the trust policy of the recipe lets this job take it."""
        assert self.job["permissions"].get("id-token") == "write"
        assert not self.hub.is_fork(self.run.event), "a fork gets no token"
        environment, event = self.job.get("environment"), self.run.event
        claim = (
            f"environment:{environment}"
            if environment
            else "pull_request"
            if event["event_name"] == "pull_request"
            else f"ref:{event['ref']}"
        )
        role = given["role-to-assume"].split("/")[-1]
        kind = "apply" if role == "keywright-apply" else "plan"
        policy = json.loads((CI / f"iam/github-trust-{kind}.json").read_text())["Statement"][0]
        trusted = policy["Condition"]["StringEquals"]["token.actions.githubusercontent.com:sub"]
        assert f"repo:OWNER/REPOSITORY:{claim}" in ([trusted] if isinstance(trusted, str) else trusted), f"{role} does not trust {claim}"
        account = given["role-to-assume"].split(":")[4]
        assert given["allowed-account-ids"] == account
        self.credentials = {
            "AWS_ACCESS_KEY_ID": account,
            "AWS_SECRET_ACCESS_KEY": "not checked",
            "AWS_REGION": given["aws-region"],
            # An account that is down does not answer.
            "AWS_ENDPOINT_URL": "http://127.0.0.1:1" if account in self.hub.down else self.hub.endpoint.url,
        }
