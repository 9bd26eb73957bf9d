"""The recipes of examples/ci, as far as they can be judged here: by their schemas, by linters, and by running what they run."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from aws import Endpoint
from command import CHANGES, DONE, ERROR, GUARD, LIMIT, Keywright, Result
from furnished import ACCOUNT
from hub import PROJECT as TWO_TARGETS
from hub import secret
from recipes import CI, SCRIPTS, WORKFLOWS, Runner, manifest

ROOT = CI.parents[1]


def judge(*words: object, cwd: Path | None = None) -> str:
    """Runs a judge that has nothing to complain of."""
    done = subprocess.run(list(map(str, words)), cwd=cwd, capture_output=True, text=True, timeout=LIMIT)
    assert done.returncode == 0, f"{words}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def program(name: str) -> Path:
    """A program that came with a Python package: beside the interpreter, or in the folder that PYTHONPATH names."""
    places = [Path(sys.executable).parent, *(Path(place) / "bin" for place in sys.path)]
    found = next((place / name for place in places if (place / name).is_file()), None)
    assert found, f"there is no {name} in {places}"
    # A package does not always keep the permission.
    found.chmod(found.stat().st_mode | 0o755)
    return found


def steps(workflow: Path) -> list[dict[str, Any]]:
    jobs = yaml.safe_load(workflow.read_text())["jobs"]
    return [step for job in jobs.values() for step in job.get("steps", [])]


# GitHub


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_is_one_by_its_schema_and_to_a_linter(workflow: Path) -> None:
    judge(sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", workflow)
    judge(program("zizmor"), "--offline", "--persona", "pedantic", workflow)


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_trusts_as_little_as_it_can(workflow: Path) -> None:
    document = yaml.safe_load(workflow.read_text())
    # YAML 1.1 reads the key `on` as true.
    assert "pull_request_target" not in document[True]
    assert document["permissions"] == {}
    for name, job in document["jobs"].items():
        if "uses" in job:
            assert job["uses"].startswith("./.github/workflows/") and "secrets" not in job, name
            continue
        uses = [step.get("uses", "") for step in job["steps"]]
        credentials = any("configure-aws-credentials" in use for use in uses)
        assert (job["permissions"].get("id-token") == "write") == credentials, name
        # What has credentials for AWS writes nothing that others read, but for what it did.
        writes = {permission for permission, level in job["permissions"].items() if level == "write"}
        assert not credentials or writes <= {"id-token", "statuses"}, name
        assert job["timeout-minutes"] <= 60, name
        # Neither Git's own files nor another account is in reach of what a manifest says.
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False, name
        environment = document["env"] | job.get("env", {})
        accounts = ("${{ matrix.account }}", "${{ inputs.account }}")
        assert not credentials or environment["KEYWRIGHT_ONLY_ACCOUNTS"] in accounts, name
        for use in filter(None, uses):
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", use), f"{use} is not pinned"
        if "pull_request" in document[True]:
            fork = "github.event.pull_request.head.repo.full_name == github.repository"
            assert not credentials or fork in job["if"], name
            assert not any("cache" in use for use in uses), name
        # What people write reaches a shell through the environment, and never as a part of it.
        assert not any("${{" in step.get("run", "") for step in job["steps"]), name


def test_applies_queue_and_none_is_cancelled_and_who_waits_for_a_person_holds_nothing() -> None:
    whole = yaml.safe_load((CI / "github/workflows/keywright-apply.yml").read_text())
    [(_, apply)] = yaml.safe_load((CI / "github/workflows/keywright-apply-target.yml").read_text())["jobs"].items()
    # `queue: max` is what keeps GitHub from cancelling what is pending.
    assert apply["concurrency"] == {"group": "keywright-apply-${{ inputs.target }}", "queue": "max"}
    assert "concurrency" not in whole and not any("concurrency" in job for job in whole["jobs"].values())
    # The environment of those who are asked is entered by a job that has no role and no place in the queue.
    asked = [name for name, job in whole["jobs"].items() if job.get("environment") == "keywright-reviewed"]
    assert asked == ["approval"] and whole["jobs"]["approval"]["permissions"] == {} and apply["environment"] == "keywright"


def test_the_shell_of_the_recipes_is_clean(tmp_path: Path) -> None:
    parts = [part for workflow in WORKFLOWS for step in steps(workflow) if (part := step.get("run"))]
    gitlab = yaml.safe_load((CI / "gitlab/.gitlab-ci.yml").read_text())
    for job in gitlab.values():
        if isinstance(job, dict):
            parts += ["\n".join(job.get(key, [])) for key in ("before_script", "script", "after_script")]
    files = [tmp_path / f"{number}.sh" for number in range(len(parts))]
    for file, part in zip(files, parts, strict=True):
        file.write_text(f"#!/usr/bin/env bash\nset -e\n{part}\n")
    containers = [container for pod in pods() for container in [*pod["initContainers"], *pod["containers"]]]
    scripts = [container["args"][0] for container in containers if container.get("command", [""])[0] == "sh"]
    for number, script in enumerate(scripts):
        files.append(tmp_path / f"pod-{number}.sh")
        files[-1].write_text(f"#!/bin/sh\nset -eu\n{script}\n")
    judge(program("shellcheck"), *SCRIPTS, *files)
    assert len(SCRIPTS) == 16 and len(parts) > 15 and len(scripts) == 4


@pytest.fixture
def runner(keywright: Keywright, sandbox: Endpoint, tmp_path: Path) -> Runner:
    return Runner(keywright.signed_in(ACCOUNT), sandbox, tmp_path / "runner")


# Kubernetes


def documents(name: str) -> list[Any]:
    return list(yaml.safe_load_all((CI / "kubernetes" / name).read_text()))


def pods() -> list[Any]:
    [cron], [indexed] = documents("cronjob.yaml"), documents("indexed-job.yaml")
    [watch] = [document for document in documents("watch.yaml") if document["kind"] == "Deployment"]
    return [
        cron["spec"]["jobTemplate"]["spec"]["template"]["spec"],
        indexed["spec"]["template"]["spec"],
        watch["spec"]["template"]["spec"],
    ]


def test_the_kubernetes_recipes_by_their_schema() -> None:
    files = [file for file in sorted((CI / "kubernetes").glob("*.yaml")) if file.name != "kustomization.yaml"]
    told = judge(sys.executable, "-m", "kubernetes_validate", "--strict", *files)
    assert told.count(" passed for resource ") == 8, told


def test_pods_may_do_as_little_as_they_can() -> None:
    for pod in pods():
        assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["runAsUser"] == 65532
        assert pod["automountServiceAccountToken"] is False and pod["serviceAccountName"] == "keywright"
        for container in [*pod["initContainers"], *pod["containers"]]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["resources"]["limits"]["memory"] and container["resources"]["requests"]["cpu"]
            assert "@sha256:" in container["image"]


ACCOUNT_OF_PODS = {"KEYWRIGHT_TARGET": "dev", "KEYWRIGHT_ONLY_ACCOUNTS": ACCOUNT}


def words_of(container: Any, runner: Runner, **places: str) -> str:
    """The arguments of a container, as the kubelet hands them over: with variables filled in, and folders of this machine."""
    known = ACCOUNT_OF_PODS | {variable["name"]: variable["value"] for variable in container.get("env", [])}
    words = [re.sub(r"\$\((\w+)\)", lambda found: known[found[1]], word) for word in container["args"]]
    for place, here in {"/manifests/repository": ".", "/tmp": str(runner.temp), **places}.items():
        words = [word.replace(place, here) for word in words]
    return " ".join(words)


def test_the_cron_job_ends_with_what_its_policy_waits_for(runner: Runner) -> None:
    [container] = pods()[0]["containers"]
    done = runner.shell(f"keywright {words_of(container, runner)}", **ACCOUNT_OF_PODS)
    [document] = documents("cronjob.yaml")
    job = document["spec"]["jobTemplate"]["spec"]
    assert [done.code] == job["podFailurePolicy"]["rules"][0]["onExitCodes"]["values"], done
    assert json.loads((runner.temp / "drift.json").read_text())["formatVersion"]
    # The account is the one that may be reached, and no other.
    done = runner.shell(f"keywright {words_of(container, runner)}", KEYWRIGHT_ONLY_ACCOUNTS="222222222222")
    assert done.code == GUARD and "is not one of those" in done.err, done


def test_the_parts_of_the_indexed_job_are_the_whole(runner: Runner) -> None:
    names = [f"part-{number}" for number in range(20)]
    runner.commit("many", **{name: manifest(name, name) for name in names})
    job = documents("indexed-job.yaml")[0]["spec"]
    [container] = job["template"]["spec"]["containers"]
    [shards] = [variable["value"] for variable in container["env"] if variable["name"] == "SHARDS"]
    assert int(shards) == job["completions"] == job["parallelism"]
    script = container["args"][0].replace("/manifests/repository", ".")
    found: list[str] = []
    for index in range(int(shards)):
        # The container's command is a POSIX shell.
        words = f"exec {' '.join(container['command'])} \"$SCRIPT\""
        done = runner.shell(words, SCRIPT=script, JOB_COMPLETION_INDEX=str(index), SHARDS=shards, **ACCOUNT_OF_PODS)
        assert done.code in (DONE, CHANGES), done
        found += re.findall(r"dev/shop/[\w-]+", done.out)
    assert sorted(found) == sorted(f"dev/shop/{name}" for name in [*names, "api", "db"])


class Manifests:
    """The sidecar that follows a branch: its own script, over folders of this machine."""

    def __init__(self, runner: Runner) -> None:
        self.runner, self.pod = runner, pods()[2]
        self.folder = runner.folder / "manifests"
        self.folder.mkdir()
        runner.git("push", "--quiet", "origin", "HEAD:refs/heads/main")

    def follow(self) -> Result:
        """One turn of the one that runs beside the watch, or the first of all."""
        [first] = self.pod["initContainers"]
        [beside] = [container for container in self.pod["containers"] if container["name"] == "manifests"]
        container = beside if (self.folder / "repository").exists() else first
        known = {variable["name"]: variable["value"] for variable in container["env"]}
        # `sleep` lets the loop go round once.
        self.runner.program("sleep", f'[ "$1" = 60 ] && [ ! -e "{self.folder}.turned" ] && touch "{self.folder}.turned"')
        (Path(f"{self.folder}.turned")).unlink(missing_ok=True)
        script = container["args"][0].replace("/manifests", str(self.folder))
        done = self.runner.shell(
            'exec sh -euc "$SCRIPT"', SCRIPT=script, **known | {"REPOSITORY": str(self.runner.folder / "origin.git")}
        )
        return done


def test_the_manifests_of_the_watch_follow_the_branch_commit_by_commit(runner: Runner) -> None:
    manifests = Manifests(runner)
    current = manifests.folder / "current"
    done = manifests.follow()
    assert done.code == DONE and current.is_symlink() and (current / "secrets/db.yaml").is_file(), done
    first = current.readlink()
    manifests.follow()
    assert current.readlink() == first
    for number in range(3):
        runner.commit("more", **{f"s{number}": manifest(f"s{number}", "More")})
        runner.git("push", "--quiet", "origin", "HEAD:refs/heads/main")
        before = current.readlink()
        manifests.follow()
        assert (current / f"secrets/s{number}.yaml").is_file() and current.readlink() != before
        # The ones that a round may still read are there, and older ones are gone.
        assert (manifests.folder / before).is_dir()
    assert not (manifests.folder / first).exists()
    # What cannot be fetched leaves everything as it is.
    (runner.folder / "origin.git").rename(runner.folder / "gone.git")
    before = current.readlink()
    done = manifests.follow()
    assert "could not be fetched" in done.out and current.readlink() == before, done


def test_the_deployment_is_alive_at_once_and_ready_when_it_has_looked(runner: Runner, sm: Any) -> None:
    manifests = Manifests(runner)
    assert manifests.follow().code == DONE
    [container] = [container for container in manifests.pod["containers"] if container["name"] == "keywright"]
    state = runner.folder / "state"
    state.mkdir()
    places = {"/manifests": str(manifests.folder), "0.0.0.0:9090": "127.0.0.1:0", "/state": str(state), "15m": "1s"}
    [port] = container["ports"]
    paths = {name: container[f"{name}Probe"]["httpGet"]["path"] for name in ("liveness", "readiness")}
    assert paths == {"liveness": "/healthz", "readiness": "/readyz"} and port == {"name": "metrics", "containerPort": 9090}

    def watched() -> list[dict[str, Any]]:
        """Starts it, probes it as the kubelet does until it is ready, and stops it as the kubelet does."""
        words = words_of(container, runner, **places).split()
        environment = {"AWS_ENDPOINT_URL": runner.endpoint.url, **ACCOUNT_OF_PODS}
        running = runner.keywright.start(*words, **environment)
        url = ""
        while "http" not in url:
            url = running.read_line()
        url = re.search(r"http://[\d.:]+", url)[0]
        assert requests.get(url + paths["liveness"], timeout=5).status_code == 200
        for _ in range(100):
            if requests.get(url + paths["readiness"], timeout=5).status_code == 200:
                break
            time.sleep(0.1)
        else:
            raise AssertionError("it never became ready")
        time.sleep(1.5)
        running.send(signal.SIGTERM)
        done = running.finish()
        assert done.code == DONE, done
        return [json.loads(line) for line in done.out.splitlines()]

    assert "dev/shop/db" in json.dumps(watched())
    assert list(state.iterdir())
    # A restart tells nothing again; what is new it tells.
    assert "dev/shop" not in json.dumps(watched())
    runner.commit("more", more=manifest("more", "More"))
    runner.git("push", "--quiet", "origin", "HEAD:refs/heads/main")
    manifests.follow()
    told = json.dumps(watched())
    assert "dev/shop/more" in told and "dev/shop/db" not in told


def test_the_deployment_is_one_that_keeps_what_it_told() -> None:
    claim, deployment, service, policy = documents("watch.yaml")
    spec = deployment["spec"]
    assert spec["replicas"] == 1 and spec["strategy"] == {"type": "Recreate"}
    [volume] = [volume for volume in spec["template"]["spec"]["volumes"] if volume["name"] == "state"]
    assert volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    labels = spec["template"]["metadata"]["labels"].items()
    for selector in (spec["selector"]["matchLabels"], service["spec"]["selector"], policy["spec"]["podSelector"]["matchLabels"]):
        assert selector.items() <= labels
    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    # Neither the node's metadata nor any port but HTTPS and names.
    blocks = [peer["ipBlock"] for rule in policy["spec"]["egress"] for peer in rule["to"] if "ipBlock" in peer]
    assert "169.254.0.0/16" in blocks[0]["except"]
    assert {port["port"] for rule in policy["spec"]["egress"] for port in rule["ports"]} == {53, 443}


def kustomized(folder: Path) -> list[Any]:
    """`kubectl kustomize`, or what these files need of it where there is no kubectl: resources, a suffix, labels and patches."""
    if shutil.which("kubectl"):
        return list(yaml.safe_load_all(judge("kubectl", "kustomize", folder)))
    wanted = yaml.safe_load((folder / "kustomization.yaml").read_text())
    assert set(wanted) <= {"apiVersion", "kind", "resources", "nameSuffix", "labels", "patches"}
    found: list[Any] = []
    for resource in wanted["resources"]:
        place = folder / resource
        found += kustomized(place) if place.is_dir() else list(yaml.safe_load_all(place.read_text()))
    for patch in wanted.get("patches", []):
        change = yaml.safe_load(patch["patch"])
        [patched] = [d for d in found if (d["kind"], d["metadata"]["name"]) == (change["kind"], change["metadata"]["name"])]
        merge(patched, change)
    suffix, names = wanted.get("nameSuffix", ""), {document["metadata"]["name"] for document in found}
    labels = {name: value for entry in wanted.get("labels", []) for name, value in entry["pairs"].items()}
    for document in found:
        rename(document, suffix, names)
        document["metadata"]["name"] += suffix
        document["metadata"].setdefault("labels", {}).update(labels)
        spread(document.get("spec"), labels)
    return found


def merge(into: Any, change: Any) -> None:
    for key, value in change.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            merge(into[key], value)
        else:
            into[key] = value


def rename(part: Any, suffix: str, names: set[str]) -> None:
    for key, value in part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ():
        if key in ("serviceAccountName", "claimName") and value in names:
            part[key] = value + suffix
        elif key == "configMapRef":
            value["name"] += suffix
        else:
            rename(value, suffix, names)


def spread(part: Any, labels: dict[str, str]) -> None:
    for key, value in part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ():
        if key in ("matchLabels", "labels") and "app.kubernetes.io/name" in value or key == "selector" and "matchLabels" not in value:
            value.update(labels)
        else:
            spread(value, labels)


def test_each_account_has_its_own_service_account_role_and_target(tmp_path: Path) -> None:
    roles = set()
    for name, account in (("staging", "111111111111"), ("prod", "222222222222")):
        found = {document["kind"]: document for document in kustomized(CI / "kubernetes-accounts" / name)}
        file = tmp_path / f"{name}.yaml"
        file.write_text(yaml.safe_dump_all(found.values()))
        told = judge(sys.executable, "-m", "kubernetes_validate", "--strict", file)
        assert told.count(" passed for resource ") == len(found) == 7
        assert found["ConfigMap"]["data"] == {"KEYWRIGHT_TARGET": name, "KEYWRIGHT_ONLY_ACCOUNTS": account}
        roles.add(found["ServiceAccount"]["metadata"]["annotations"]["eks.amazonaws.com/role-arn"])
        assert f"::{account}:" in found["ServiceAccount"]["metadata"]["annotations"]["eks.amazonaws.com/role-arn"]
        for pod in (
            found["Deployment"]["spec"]["template"],
            found["CronJob"]["spec"]["jobTemplate"]["spec"]["template"],
        ):
            assert pod["spec"]["serviceAccountName"] == found["ServiceAccount"]["metadata"]["name"] == f"keywright-{name}"
            [container] = [c for c in pod["spec"]["containers"] if c["name"] == "keywright"]
            assert container["envFrom"] == [{"configMapRef": {"name": found["ConfigMap"]["metadata"]["name"]}}]
        # Two Deployments in one namespace must not take each other's pods, nor a Service or a policy those of another account.
        for selector in (
            found["Deployment"]["spec"]["selector"]["matchLabels"],
            found["Service"]["spec"]["selector"],
            found["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
        ):
            assert selector["keywright/account"] == name
            assert selector.items() <= found["Deployment"]["spec"]["template"]["metadata"]["labels"].items()
        [claim] = [v for v in found["Deployment"]["spec"]["template"]["spec"]["volumes"] if v["name"] == "state"]
        assert claim["persistentVolumeClaim"]["claimName"] == found["PersistentVolumeClaim"]["metadata"]["name"]
    assert len(roles) == 2


# Docker and pre-commit


def test_the_dockerfile() -> None:
    dockerfile = CI / "docker/Dockerfile"
    judge(program("hadolint"), dockerfile)
    last = dockerfile.read_text().split("\nFROM ")[-1]
    assert last.startswith("scratch\n") and "\nUSER 65532:65532\n" in last and 'ENTRYPOINT ["/keywright"]' in last
    assert "\nRUN " not in last


def test_the_hooks_of_pre_commit(runner: Runner) -> None:
    pre_commit = [sys.executable, "-m", "pre_commit"]
    judge(*pre_commit, "validate-manifest", ROOT / ".pre-commit-hooks.yaml")
    judge(*pre_commit, "validate-config", CI / "pre-commit/.pre-commit-config.yaml")
    # A repository with the hooks and nothing else: this one need not be committed to be tested.
    hooks = runner.folder / "hooks"
    hooks.mkdir()
    shutil.copy(ROOT / ".pre-commit-hooks.yaml", hooks)
    runner.git("init", "--quiet", cwd=hooks)
    runner.git("add", "--all", cwd=hooks)
    runner.git("commit", "--quiet", "--message", "hooks", cwd=hooks)
    words = f'"{sys.executable}" -m pre_commit try-repo "{hooks}" keywright-validate-system --all-files --verbose'
    done = runner.shell(words)
    assert done.code == DONE and "no mistakes found" in done.out, done
    # Every target is checked, and without anybody's credentials.
    runner.keywright = Keywright(runner.keywright.binary, runner.keywright.home)
    (runner.checkout / "keywright.yaml").write_text(TWO_TARGETS.replace("region: eu-west-1 }", "region: eu-west-1, vars: { a: x } }", 1))
    runner.commit("broken in prod alone", db=secret("db", "x"), api=secret("api", '"${a}"'))
    done = runner.shell(words)
    assert done.code == ERROR and "secrets/api.yaml" in done.out and "secrets/db.yaml" not in done.out, done


# IAM


@pytest.mark.parametrize("policy", sorted((CI / "iam").glob("*.json")), ids=lambda path: path.stem)
def test_a_role_trusts_one_repository_and_the_writing_one_no_pull_request(policy: Path) -> None:
    [statement] = json.loads(policy.read_text())["Statement"]
    conditions = statement["Condition"]
    subjects = [
        value
        for operator in conditions.values()
        for key, values in operator.items()
        if key.endswith(":sub")
        for value in ([values] if isinstance(values, str) else values)
    ]
    assert subjects and all(re.match(r"(repo:OWNER/REPOSITORY|project_path:GROUP/PROJECT|system:serviceaccount:keywright):", s) for s in subjects)
    assert any(key.endswith(":aud") for key in conditions["StringEquals"])
    if "apply" in policy.stem:
        assert not any("*" in subject or "pull_request" in subject for subject in subjects)
        # The environment that asks people is entered before; a job in it has no role.
        assert not any("reviewed" in subject for subject in subjects)
