"""The recipes of examples/ci, as far as they can be judged here: by their schemas, by linters, and by running what they run."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from aws import Endpoint
from command import CHANGES, DONE, ERROR, LIMIT, Keywright
from furnished import ACCOUNT
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
    return [step for job in jobs.values() for step in job["steps"]]


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
        uses = [step.get("uses", "") for step in job["steps"]]
        credentials = any("configure-aws-credentials" in use for use in uses)
        assert (job["permissions"].get("id-token") == "write") == credentials, name
        assert job["timeout-minutes"] <= 60, name
        # Neither Git's own files nor another account is in reach of what a manifest says.
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False, name
        environment = document["env"] | job.get("env", {})
        assert not credentials or environment["KEYWRIGHT_ONLY_ACCOUNTS"] == "${{ vars.KEYWRIGHT_ONLY_ACCOUNTS }}", name
        for use in filter(None, uses):
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", use), f"{use} is not pinned"
        if "pull_request" in document[True]:
            fork = "github.event.pull_request.head.repo.full_name == github.repository"
            assert not credentials or fork in job["if"], name
            assert not any("cache" in use for use in uses), name
        # What people write reaches a shell through the environment, and never as a part of it.
        assert not any("${{" in step.get("run", "") for step in job["steps"]), name


def test_applies_are_serialised_and_never_cut_off() -> None:
    document = yaml.safe_load((CI / "github/workflows/keywright-apply.yml").read_text())
    assert document["concurrency"] == {"group": "keywright-apply", "cancel-in-progress": False}
    runs = [step.get("run", "") for step in document["jobs"]["apply"]["steps"]]
    [tip] = [at for at, run in enumerate(runs) if "tip.sh main" in run]
    assert "apply.sh" in runs[tip + 1]


def test_the_shell_of_the_recipes_is_clean(tmp_path: Path) -> None:
    parts = [part for workflow in WORKFLOWS for step in steps(workflow) if (part := step.get("run"))]
    gitlab = yaml.safe_load((CI / "gitlab/.gitlab-ci.yml").read_text())
    for job in gitlab.values():
        if isinstance(job, dict):
            parts += ["\n".join(job.get(key, [])) for key in ("before_script", "script", "after_script")]
    files = [tmp_path / f"{number}.sh" for number in range(len(parts))]
    for file, part in zip(files, parts, strict=True):
        file.write_text(f"#!/usr/bin/env bash\nset -e\n{part}\n")
    judge(program("shellcheck"), *SCRIPTS, *files)
    assert len(SCRIPTS) == 7 and len(parts) > 15


# GitLab


def test_the_gitlab_recipe_by_its_schema() -> None:
    recipe = CI / "gitlab/.gitlab-ci.yml"
    judge(
        sys.executable, "-m", "check_jsonschema",
        "--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci", recipe,
    )  # fmt: skip
    document = yaml.safe_load(recipe.read_text())
    assert document["apply"]["resource_group"] and document["apply"]["rules"][0]["when"] == "manual"


@pytest.fixture
def runner(keywright: Keywright, sandbox: Endpoint, tmp_path: Path) -> Runner:
    return Runner(keywright.signed_in(ACCOUNT), sandbox, tmp_path / "runner")


def test_the_gitlab_jobs_plan_apply_and_find_drift(runner: Runner, sm: Any) -> None:
    document = yaml.safe_load((CI / "gitlab/.gitlab-ci.yml").read_text())
    shutil.copytree(CI / "github/keywright", runner.checkout / ".gitlab/keywright")
    runner.commit("the scripts")
    runner.git("push", "--quiet", "origin", "main")

    def job(name: str) -> Any:
        return runner.shell("\n".join(document[name]["script"]), KEYWRIGHT_PROJECT=".", CI_DEFAULT_BRANCH="main")

    assert job("validate").code == DONE
    assert job("plan").code == DONE
    assert "dev/shop/db" in (runner.checkout / "keywright-plan/plan.html").read_text()
    assert sm.list_secrets()["SecretList"] == []
    assert job("drift").code == CHANGES
    done = job("apply")
    assert done.code == DONE and "2 created" in done.out, done
    assert (runner.checkout / "keywright-plan/journal.jsonl").read_text().count("\n") == 2
    assert job("drift").code == DONE
    # The pipeline of an older commit.
    runner.git("checkout", "--quiet", "-b", "newer")
    runner.commit("newer", db=manifest("db", "Newer"))
    runner.git("push", "--quiet", "origin", "HEAD:refs/heads/main")
    runner.git("checkout", "--quiet", "main")
    done = job("apply")
    assert done.code == ERROR and "is older than main" in done.out, done


# Kubernetes


def documents(name: str) -> list[Any]:
    return list(yaml.safe_load_all((CI / "kubernetes" / name).read_text()))


def pods() -> list[Any]:
    cron = documents("cronjob.yaml")[1]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    return [cron, documents("indexed-job.yaml")[0]["spec"]["template"]["spec"]]


def test_the_kubernetes_recipes_by_their_schema() -> None:
    told = judge(sys.executable, "-m", "kubernetes_validate", "--strict", *sorted((CI / "kubernetes").glob("*.yaml")))
    assert told.count(" passed for resource ") == 3, told


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


def test_the_cron_job_ends_with_what_its_policy_waits_for(runner: Runner) -> None:
    [container] = pods()[0]["containers"]
    words = [word.replace("/manifests/repository", ".").replace("/tmp", str(runner.temp)) for word in container["args"]]
    done = runner.shell(f"keywright {' '.join(words)}")
    job = documents("cronjob.yaml")[1]["spec"]["jobTemplate"]["spec"]
    assert [done.code] == job["podFailurePolicy"]["rules"][0]["onExitCodes"]["values"], done
    assert json.loads((runner.temp / "drift.json").read_text())["formatVersion"]


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
        done = runner.shell(words, SCRIPT=script, JOB_COMPLETION_INDEX=str(index), SHARDS=shards)
        assert done.code in (DONE, CHANGES), done
        found += re.findall(r"dev/shop/[\w-]+", done.out)
    assert sorted(found) == sorted(f"dev/shop/{name}" for name in [*names, "api", "db"])


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
    runner.commit("broken", db="kind: Secret\n")
    done = runner.shell(words)
    assert done.code == ERROR and "secrets/db.yaml" in done.out, done


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
    assert subjects and all(re.match(r"(repo:OWNER/REPOSITORY|project_path:GROUP/PROJECT):", s) for s in subjects)
    assert any(key.endswith(":aud") for key in conditions["StringEquals"])
    if "apply" in policy.stem:
        assert not any("*" in subject or "pull_request" in subject for subject in subjects)
