"""The pages for other schedulers of plans in examples/ci: their files by their formats, and their shell against the sandbox.

Atlantis, Argo CD, Flux, Jenkins, CodeBuild and Spacelift are played here, by calling what they would call: the commands in
their files, with the variables that their documentation promises."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from aws import Endpoint
from command import CHANGES, DONE, ERROR, GUARD, STALE, USAGE, Keywright, Result
from furnished import ACCOUNT
from recipes import CI, Runner, manifest, run_script
from test_recipes import judge, program

PAGES = ["atlantis", "argocd", "flux", "jenkins", "codebuild", "spacelift"]
SCRIPT = CI / "shell/keywright-ci.sh"
# What a job of somebody's own repository has in its environment.
REAL = {"KEYWRIGHT_ONLY_ACCOUNTS": ACCOUNT}


class Scheduler(Runner):
    """A machine that has keywright-ci and jq beside keywright, and a checkout with the project."""

    def __post_init__(self) -> None:
        super().__post_init__()
        (self.folder / "bin/keywright-ci").symlink_to(SCRIPT)

    def sh(self, script: str, **environment: str) -> Result:
        """A command as `sh -c` runs it, which is what most of them do."""
        return run_script(["sh", "-c"], script, self.checkout, self.environment(**environment))

    def ci(self, words: str, **environment: str) -> Result:
        return self.sh(f"keywright-ci {words}", **REAL | environment)


@pytest.fixture
def machine(keywright: Keywright, sandbox: Endpoint, tmp_path: Path) -> Scheduler:
    return Scheduler(keywright.signed_in(ACCOUNT), sandbox, tmp_path / "machine")


def names(sm: Any) -> list[str]:
    return sorted(secret["Name"] for secret in sm.list_secrets()["SecretList"])


def load(file: str) -> Any:
    return yaml.safe_load((CI / file).read_text())


# The shell that they share


def test_the_shell_is_clean() -> None:
    judge(program("shellcheck"), SCRIPT)


def test_a_plan_is_shown_then_applied_and_then_there_is_nothing_to_do(machine: Scheduler, sm: Any) -> None:
    done = machine.ci("plan out/approved.json")
    assert done.code == DONE and "2 to create" in done.out and names(sm) == [], done
    done = machine.ci("drift out/drift.xml")
    assert done.code == CHANGES and "<testsuite" in (machine.checkout / "out/drift.xml").read_text(), done
    done = machine.ci("apply out/approved.json")
    assert done.code == DONE and names(sm) == ["dev/shop/api", "dev/shop/db"], done
    assert (machine.checkout / "out/approved.json.journal.jsonl").read_text().count("\n") == 2
    done = machine.ci("drift out/drift.xml")
    assert done.code == DONE, done
    done = machine.ci("plan out/approved.json")
    assert done.code == DONE and "Nothing to apply" in done.out, done


def test_what_is_not_as_approved_is_not_applied(machine: Scheduler, sm: Any) -> None:
    done = machine.ci("apply out/approved.json")
    assert done.code == STALE and "there is no approved plan" in done.err, done
    assert machine.ci("plan out/approved.json").code == DONE
    machine.commit("more", cache=manifest("cache", "The cache"))
    done = machine.ci("apply out/approved.json")
    assert done.code == STALE and "plan again" in done.err and names(sm) == [], done


def test_a_refused_plan_leaves_none_to_apply(machine: Scheduler, sm: Any) -> None:
    assert machine.ci("plan out/approved.json").code == DONE
    sm.create_secret(Name="dev/shop/old", Description="Made by hand")
    absent = manifest("old", "x").replace("/old }", "/old, state: absent }").replace("spec: { description: x }", "spec: {}")
    machine.commit("refused", old=absent)
    done = machine.ci("plan out/approved.json")
    assert done.code == GUARD and "a guard refuses this plan" in done.err, done
    assert machine.ci("apply out/approved.json").code == STALE and names(sm) == ["dev/shop/old"]
    # The flag that the plan names, for one run; the apply needs it too.
    flags = {"KEYWRIGHT_FLAGS": "--allow-delete-unowned"}
    assert machine.ci("plan out/approved.json", **flags).code == DONE
    assert machine.ci("apply out/approved.json").code == GUARD
    assert machine.ci("apply out/approved.json", **flags).code == DONE


@pytest.mark.parametrize("verb", ["plan out/approved.json", "apply out/approved.json", "drift out/drift.xml"])
def test_neither_a_sandbox_nor_any_account_at_all_is_planned(machine: Scheduler, verb: str) -> None:
    for flag in ["--sandbox", "--sandbox=here.redb"]:
        done = machine.ci(verb, KEYWRIGHT_FLAGS=f"--target dev {flag}")
        assert done.code == ERROR and "not one to approve" in done.err and done.out == "", done
    done = machine.ci(verb, KEYWRIGHT_ONLY_ACCOUNTS="")
    assert done.code == ERROR and "set KEYWRIGHT_ONLY_ACCOUNTS" in done.err and done.out == "", done


def test_validation_needs_no_credentials_and_tells_mistakes(machine: Scheduler) -> None:
    machine.keywright = Keywright(machine.keywright.binary, machine.keywright.home)
    assert machine.sh("keywright-ci validate").code == DONE
    machine.commit("broken", db="kind: Secret\n")
    done = machine.sh("keywright-ci validate")
    assert done.code == ERROR and "secrets/db.yaml" in done.out + done.err, done
    assert machine.sh("keywright-ci something").code == USAGE


def test_flags_are_words_and_never_a_command(machine: Scheduler) -> None:
    done = machine.ci("plan out/approved.json", KEYWRIGHT_FLAGS="--target dev; $(touch hacked) `touch hacked`")
    assert done.code == USAGE and not (machine.checkout / "hacked").exists(), done


# Atlantis


def atlantis(machine: Scheduler, phase: str, **environment: str) -> list[Result]:
    """The steps of a phase, up to the first that fails. Atlantis runs each with `sh -c`."""
    known = {
        "PLANFILE": str(machine.temp / "payments-default.tfplan"),
        "HEAD_REPO_OWNER": "example",
        "HEAD_REPO_NAME": "secrets",
        "BASE_REPO_OWNER": "example",
        "BASE_REPO_NAME": "secrets",
    }
    results: list[Result] = []
    for step in load("atlantis/repos.yaml")["workflows"]["keywright"][phase]["steps"]:
        results.append(machine.sh(step["run"], **REAL | known | environment))
        if results[-1].code:
            break
    return results


def test_atlantis_applies_the_plan_that_it_showed(machine: Scheduler, sm: Any) -> None:
    done = atlantis(machine, "plan")
    assert [result.code for result in done] == [DONE, DONE] and "dev/shop/db" in done[-1].out, done
    sm.create_secret(Name="dev/shop/api", Description="Made by hand meanwhile")
    assert atlantis(machine, "apply")[-1].code == STALE
    assert atlantis(machine, "plan")[-1].code == DONE
    assert atlantis(machine, "apply")[-1].code == DONE
    assert names(sm) == ["dev/shop/api", "dev/shop/db"]


def test_atlantis_plans_no_fork(machine: Scheduler) -> None:
    for phase in ["plan", "apply"]:
        [done] = atlantis(machine, phase, HEAD_REPO_OWNER="mallory")
        assert done.code == ERROR and "from a fork" in done.err, done


def test_a_repository_cannot_change_what_atlantis_runs() -> None:
    [repository] = load("atlantis/repos.yaml")["repos"]
    assert repository["allowed_overrides"] == [] and repository["allow_custom_workflows"] is False
    assert {"approved", "undiverged"} <= set(repository["apply_requirements"])
    assert "workflows" not in load("atlantis/atlantis.yaml") and load("atlantis/atlantis.yaml")["version"] == 3


# Argo CD and Flux


@pytest.mark.parametrize("file", ["argocd/presync.yaml", "flux/job.yaml"])
def test_the_job_applies_one_commit(machine: Scheduler, sm: Any, file: str) -> None:
    job = load(file)
    judge(sys.executable, "-m", "kubernetes_validate", "--strict", CI / file)
    assert job["spec"]["backoffLimit"] == 0
    pod = job["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] and pod["automountServiceAccountToken"] is False
    for container in [*pod["initContainers"], *pod["containers"]]:
        assert container["securityContext"]["readOnlyRootFilesystem"] and "@sha256:" in container["image"]
    [fetch], [apply] = pod["initContainers"], pod["containers"]
    machine.git("push", "--quiet", "origin", "main")
    reviewed = machine.git("rev-parse", "HEAD")
    machine.commit("later", cache=manifest("cache", "The cache"))
    machine.git("push", "--quiet", "origin", "main")
    folder = machine.folder / "manifests"
    folder.mkdir()
    script = fetch["args"][0].replace("/manifests", str(folder))
    place = {"REPOSITORY": str(machine.folder / "origin.git")}
    for wrong in ["", "main", "${ARGOCD_APP_REVISION}"]:
        assert machine.sh(script, COMMIT=wrong, **place).code == ERROR
    done = machine.sh(f"set -eu\n{script}", COMMIT=reviewed, **place)
    assert done.code == DONE, done
    words = [word.replace("/manifests", str(folder)).replace("prod", "dev") for word in apply["args"]]
    assert [variable["name"] for variable in apply["env"]] == ["KEYWRIGHT_ONLY_ACCOUNTS"]
    done = machine.sh(f"keywright {' '.join(words)}", **REAL)
    assert done.code == DONE and names(sm) == ["dev/shop/api", "dev/shop/db"], done
    # A sync that is tried again.
    done = machine.sh(f"keywright {' '.join(words)}", **REAL)
    assert done.code == DONE and "Nothing to apply" in done.out, done


def test_argo_cd_hands_the_synced_commit_to_the_hook() -> None:
    job = load("argocd/presync.yaml")
    assert job["metadata"]["annotations"] == {
        "argocd.argoproj.io/hook": "PreSync",
        "argocd.argoproj.io/hook-delete-policy": "BeforeHookCreation",
    }
    [fetch] = job["spec"]["template"]["spec"]["initContainers"]
    [commit] = [variable for variable in fetch["env"] if variable["name"] == "COMMIT"]
    [annotation] = re.findall(r"'(.+)'", commit["valueFrom"]["fieldRef"]["fieldPath"])
    kustomize = load("argocd/application.yaml")["spec"]["source"]["kustomize"]
    assert kustomize["commonAnnotationsEnvsubst"] is True
    assert kustomize["commonAnnotations"] == {annotation: "${ARGOCD_APP_REVISION}"}


def test_flux_waits_for_the_job_and_makes_it_anew_for_a_new_commit() -> None:
    secrets, application = yaml.safe_load_all((CI / "flux/kustomizations.yaml").read_text())
    assert secrets["spec"]["wait"] is True and secrets["spec"]["force"] is True
    assert application["spec"]["dependsOn"] == [{"name": secrets["metadata"]["name"]}]


# Jenkins


def stages() -> dict[str, str]:
    """The text of each stage of the Jenkinsfile."""
    text = (CI / "jenkins/Jenkinsfile").read_text()
    assert text.count("{") == text.count("}")
    parts = re.split(r"stage\('(\w+)'\)", text)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_the_stages_of_jenkins_plan_apply_and_find_drift(machine: Scheduler, sm: Any) -> None:
    def stage(name: str) -> Result:
        [line] = re.findall(r"^ *sh '(.+)'$", stages()[name], re.MULTILINE)
        return machine.sh(line, **REAL)

    assert stage("Validate").code == DONE
    done = stage("Plan")
    assert done.code == DONE and "2 to create" in done.out, done
    assert stage("Drift").code == CHANGES
    assert (machine.checkout / "drift.xml").is_file()
    assert stage("Apply").code == DONE and names(sm) == ["dev/shop/api", "dev/shop/db"]
    [journal] = re.findall(r"artifacts: '(.+?)'", stages()["Apply"])
    assert (machine.checkout / journal).is_file()
    assert stage("Drift").code == DONE


def test_jenkins_gives_a_fork_no_role_and_applies_main_alone() -> None:
    found = stages()
    assert "label 'untrusted'" in found["Validate"] and "!env.CHANGE_FORK" in found["Plan"]
    assert "branch 'main'" in found["Apply"] and "submitter" in found["Apply"] and "beforeInput true" in found["Apply"]
    assert all("keywright-apply'" not in text for name, text in found.items() if name not in ("Apply",))


# CodeBuild


def test_the_builds_of_a_pipeline_hand_on_the_plan(machine: Scheduler, sm: Any) -> None:
    def build(name: str, **environment: str) -> Result:
        document = load(f"codebuild/buildspec-{name}.yml")
        assert document["version"] == 0.2 and document["env"] == {"shell": "bash"}
        assert set(document) <= {"version", "env", "phases", "artifacts", "reports"}
        [phase] = document["phases"].values()
        last = Result([name], DONE, "", "")
        for command in phase["commands"]:
            last = machine.shell(command, **REAL | environment)
            if last.code:
                break
        for command in phase.get("finally", []):
            assert machine.shell(command, **REAL | environment).code == DONE
        return last

    done = build("plan")
    assert done.code == DONE and "2 to create" in done.out, done
    plan = load("codebuild/buildspec-plan.yml")["artifacts"]
    kept = machine.checkout / plan["base-directory"]
    assert [file.name for file in kept.iterdir()] == plan["files"]
    assert build("drift").code == CHANGES
    [report] = load("codebuild/buildspec-drift.yml")["reports"].values()
    assert report["file-format"] == "JUNITXML"
    assert (machine.checkout / report["base-directory"] / report["files"][0]).is_file()
    done = build("apply", CODEBUILD_SRC_DIR_plan=str(kept))
    assert done.code == DONE and names(sm) == ["dev/shop/api", "dev/shop/db"], done
    [journal] = load("codebuild/buildspec-apply.yml")["artifacts"]["files"]
    assert (machine.checkout / journal).is_file()
    assert build("drift").code == DONE


# Spacelift


def test_spacelift_calls_for_each_phase(machine: Scheduler, sm: Any) -> None:
    workflow = load("spacelift/workflow.yml")
    phases = "init workspaceSelect workspaceNew plan showState showPlan getOutputs apply destroy".split()
    assert sorted(workflow) == sorted(phases) and all(workflow.values())

    def phase(name: str) -> Result:
        return machine.sh(workflow[name].replace("{{ .PlanFileName }}", "spacelift.plan"), **REAL)

    assert phase("init").code == DONE
    assert phase("plan").code == DONE
    shown = json.loads(phase("showPlan").out)
    assert {change["name"]: change["change"]["actions"] for change in shown["resource_changes"]} == {
        "dev/shop/api": ["create"],
        "dev/shop/db": ["create"],
    }
    assert json.loads(phase("showState").out) and json.loads(phase("getOutputs").out) == {}
    assert phase("apply").code == DONE and names(sm) == ["dev/shop/api", "dev/shop/db"]
    assert phase("plan").code == DONE and json.loads(phase("showPlan").out)["resource_changes"] == []
    assert phase("destroy").code == ERROR and names(sm) == ["dev/shop/api", "dev/shop/db"]


# The pages


@pytest.mark.parametrize("page", PAGES)
def test_a_page_says_what_a_reader_needs(page: str) -> None:
    text = (CI / page / "README.md").read_text()
    for heading in ["## What to copy", "## What happens", "## What it must not do"]:
        assert heading in text, heading
    # Where it has a shell, the exit codes have a meaning; and each file that lies beside is named.
    assert "| exit code" in text and "fork" in text and "values" in text.lower()
    for file in (CI / page).iterdir():
        stem = "buildspec-" if file.name.startswith("buildspec-") else file.name
        assert file.name == "README.md" or stem in text, file
    assert f"]({page})" in (CI / "README.md").read_text()


def test_no_recipe_shows_the_plan_of_a_sandbox_as_one_of_an_account() -> None:
    for file in [path for path in CI.rglob("*") if path.suffix in (".yml", ".yaml", ".sh", "")]:
        if not file.is_file():
            continue
        for command in file.read_text().replace("\\\n", " ").splitlines():
            if "keywright plan" in command and "--sandbox" in command:
                # To the log of its own job, where its first line says SANDBOX; never to a file, a summary or a comment.
                assert not re.search(r">|--out|--format|\|", command), f"{file}: {command}"
