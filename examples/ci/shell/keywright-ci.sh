#!/usr/bin/env bash
# What the pages for Atlantis, Jenkins, CodeBuild and Spacelift have in common. Install it as keywright-ci, beside keywright.
#
#   keywright-ci validate             checks the manifests; needs no credentials and no network
#   keywright-ci same-repository A B  ends with 1 unless A and B are one repository: a fork gets no credentials
#   keywright-ci plan FILE            shows the plan, and writes it to FILE to be approved, unless there is an error or a guard refuses
#   keywright-ci apply FILE           carries out the plan in FILE and no other; the journal is FILE.journal.jsonl
#   keywright-ci drift REPORT.xml     shows what differs, and writes it as JUnit XML
#   keywright-ci terraform-json FILE  the plan in FILE as the JSON of a Terraform plan, for policies that count changes; needs jq
#
# KEYWRIGHT_PROJECT is the project's folder. KEYWRIGHT_FLAGS holds more flags, for example: --target prod --max-deletes 10
# (an apply needs those of its plan). KEYWRIGHT_ONLY_ACCOUNTS names the accounts that may be reached, and has to be set.
#
# Ends as keywright does: 0 done or no changes, 1 error, 2 drift, 3 a guard refused, 4 the plan is stale or there is none,
# 5 applied in part.
set -euo pipefail
# The plan and the journal are for the job alone. They hold no values.
umask 077

usage="usage: keywright-ci validate | same-repository A B | plan FILE | apply FILE | drift REPORT.xml | terraform-json FILE"
verb="${1:?$usage}"
project="${KEYWRIGHT_PROJECT:-.}"
# Split at blanks and nothing else: no quoting, no patterns, no commands.
read -ra flags <<<"${KEYWRIGHT_FLAGS:-}"

fail() {
    echo "keywright-ci: $1" >&2
    exit "${2:-1}"
}

# What is shown to reviewers is read from AWS, and what is applied goes there.
real() {
    [[ -n "${KEYWRIGHT_ONLY_ACCOUNTS:-}" ]] || fail "set KEYWRIGHT_ONLY_ACCOUNTS to the accounts that may be reached"
    local flag
    for flag in ${flags[@]+"${flags[@]}"}; do
        [[ "$flag" != --sandbox* ]] || fail "$flag in KEYWRIGHT_FLAGS: the plan of a sandbox is not one to approve"
    done
}

case "$verb" in
validate)
    keywright validate --project "$project"
    ;;
same-repository)
    [[ -n "${2:-}" && "${2:-}" == "${3:-}" ]] || fail "${2:-} is not ${3:-}: what comes from a fork is not planned here"
    ;;
plan)
    file="${2:?$usage}"
    real
    mkdir -p "$(dirname "$file")"
    # Of an earlier run: a plan that is refused now must not leave one behind.
    rm -f "$file"
    status=0
    keywright plan --project "$project" ${flags[@]+"${flags[@]}"} --out "$file" || status=$?
    ((status != 3)) || echo "keywright-ci: a guard refuses this plan: the plan names it, and the flag that overrides it" >&2
    exit "$status"
    ;;
apply)
    file="${2:?$usage}"
    real
    [[ -f "$file" ]] || fail "there is no approved plan $file: nothing was applied" 4
    status=0
    keywright apply "$file" --project "$project" ${flags[@]+"${flags[@]}"} --journal "$file.journal.jsonl" || status=$?
    case $status in
    4) echo "keywright-ci: nothing was applied, since it would not be what was approved: plan again" >&2 ;;
    5) echo "keywright-ci: applied in part: repair what failed, then plan again" >&2 ;;
    esac
    exit "$status"
    ;;
drift)
    file="${2:?$usage}"
    real
    mkdir -p "$(dirname "$file")"
    keywright drift --project "$project" ${flags[@]+"${flags[@]}"} --also "junit=$file"
    ;;
terraform-json)
    file="${2:?$usage}"
    [[ -f "$file" ]] || fail "there is no plan $file" 4
    # Each secret is one resource. What changes in it is left out: the plan's text says it.
    jq '{ format_version: "1.2", resource_changes: [ .lines[] | fromjson | select(.verb) | {
            address: ("keywright_secret.\"" + .secret + "\""), mode: "managed", type: "keywright_secret", name: .secret,
            change: (if .verb == "create" then { actions: ["create"], before: null, after: {} }
                elif .verb == "delete" then { actions: ["delete"], before: {}, after: null }
                else { actions: ["update"], before: {}, after: {} } end) } ] }' "$file"
    ;;
*)
    fail "$usage" 64
    ;;
esac
