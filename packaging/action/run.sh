#!/usr/bin/env bash
# Runs one command of keywright for a job, and says what came of it in outputs, in the summary and in files. The GitHub Action and the GitLab
# component both run this.
#
#   run.sh FOLDER     FOLDER is made anew, whatever was there, and gets what the command writes, and `outputs`, a line
#                     NAME=VALUE each
#
# KEYWRIGHT_COMMAND         validate, plan, apply, drift or inventory
# KEYWRIGHT_PROJECT         the folder of keywright.yaml, by default the current one
# KEYWRIGHT_TARGET          one target, a glob or a label selector; empty for all
# KEYWRIGHT_FLAGS           more flags, split at blanks and nothing else
# KEYWRIGHT_PLAN_FILE       for apply: the approved plan to carry out, or `none`: what is planned now, within the guards.
#                           Empty is refused, since an output that is misspelt is empty as well
# KEYWRIGHT_ONLY_ACCOUNTS   the accounts that may be reached; needed for everything but validate and a sandbox
# KEYWRIGHT_FORMAT          of a plan: markdown, or html for a page
# KEYWRIGHT_FAIL_ON_FOUND   false: drift, and findings that --fail-on names (exit code 2), are no failure
#
# Outputs: code, has-changes, counts, findings, plan-file, fingerprint, report. What is not known of a command is empty. Ends with 0; whoever calls it ends
# with `result`, which is the exit code of keywright, or 0 for what is no failure, when everything was shown.
#
# It runs in the Bash 3.2 of macOS as well: no array is expanded while it is empty.
set -euo pipefail

folder="${1:?usage: run.sh FOLDER}"
folder="${folder%/}"
command="${KEYWRIGHT_COMMAND:-}"
read -ra flags <<<"${KEYWRIGHT_FLAGS:-}"
# An approved plan may be in that folder, where a job before this one left it.
plan_file="${KEYWRIGHT_PLAN_FILE:-}"
approved="$(mktemp)"
trap 'rm -f "$approved"' EXIT
if [[ -n "$plan_file" && "$plan_file" != none && -f "$plan_file" ]]; then
    cat -- "$plan_file" >"$approved"
fi
# What an earlier job or a commit left there would be taken for a report of this one. A link is removed, and not what it
# leads to.
rm -rf -- "$folder"
mkdir -p -- "$(dirname -- "$folder")"
mkdir -- "$folder"
folder="$(cd "$folder" && pwd)"
format="${KEYWRIGHT_FORMAT:-markdown}"
report="$folder/report.md"
[[ "$format" == markdown ]] || report="$folder/report.$format"
page="$report"

wrong() {
    echo "::error::keywright: $1"
    printf 'code=64\nresult=64\n' >"$folder/outputs"
    exit 0
}

case "$command" in
validate | plan | apply | drift | inventory) ;;
*) wrong "the command is validate, plan, apply, drift or inventory" ;;
esac
[[ "${KEYWRIGHT_FLAGS:-}" != *$'\n'* ]] || wrong "the flags are one line"
sandbox=false
for flag in ${flags[@]+"${flags[@]}"}; do
    [[ "$flag" != --sandbox && "$flag" != --sandbox=* ]] || sandbox=true
done
if [[ "$command" == apply ]]; then
    [[ -n "$plan_file" ]] || wrong "plan-file is empty: it names the approved plan, or is none to apply what is planned now"
    [[ "$plan_file" == none || -s "$approved" ]] || wrong "plan-file names no file that has a plan"
elif [[ -n "$plan_file" ]]; then
    wrong "a plan file is for apply alone"
fi
if [[ "$command" != validate && -z "${KEYWRIGHT_ONLY_ACCOUNTS:-}" && "$sandbox" == false ]]; then
    wrong "only-accounts has to name the accounts that this job may reach, so that no manifest leads it elsewhere"
fi
# An empty variable would be an empty account.
[[ -n "${KEYWRIGHT_ONLY_ACCOUNTS:-}" ]] || unset KEYWRIGHT_ONLY_ACCOUNTS

# Text of others in a log: no line of it is a command to GitHub.
show() {
    local token
    if [[ -n "${GITHUB_ACTIONS:-}" ]]; then
        token="$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')"
        printf '::stop-commands::%s\n' "$token"
        cat "$1"
        printf '\n::%s::\n' "$token"
    else
        cat "$1"
    fi
}

arguments=(--project "${KEYWRIGHT_PROJECT:-.}")
[[ -z "${KEYWRIGHT_TARGET:-}" ]] || arguments+=(--target "$KEYWRIGHT_TARGET")
arguments+=(${flags[@]+"${flags[@]}"})
code=0 changes='' counts='' findings='' plan='' fingerprint=''
case "$command" in
validate)
    annotations=text
    [[ -z "${GITHUB_ACTIONS:-}" ]] || annotations=github
    keywright validate "${arguments[@]}" --format "$annotations" || code=$?
    # Of a project that could not be read at all there is no JSON.
    keywright validate "${arguments[@]}" --format json >"$folder/validate.json" 2>/dev/null || true
    counts="$(jq -c '.summary' "$folder/validate.json" 2>/dev/null || true)"
    findings="$(jq '.diagnostics | length' "$folder/validate.json" 2>/dev/null || true)"
    ;;
plan)
    keywright plan "${arguments[@]}" --format "$format" --out "$folder/approved.json" >"$report" || code=$?
    if ((code == 0 || code == 2)) && [[ -f "$folder/approved.json" ]]; then
        plan="$folder/approved.json"
        fingerprint="$(jq -r '.fingerprint | select(test("^sha256:[0-9a-f]{64}$"))' "$plan")"
        changes="$(jq '[.lines[] | fromjson | select(has("secret"))] != []' "$plan")"
        counts="$(jq -c '[.lines[] | fromjson | select(has("verb")) | .verb] | group_by(.) | map({key: .[0], value: length}) | from_entries' "$plan")"
    fi
    ;;
apply)
    what=--yes
    if [[ "$plan_file" != none ]]; then
        what="$folder/approved.json"
        cat "$approved" >"$what"
    fi
    keywright apply "$what" "${arguments[@]}" --journal "$folder/journal.jsonl" >"$folder/apply.txt" || code=$?
    show "$folder/apply.txt"
    page=''
    [[ -f "$folder/journal.jsonl" ]] || : >"$folder/journal.jsonl"
    changes="$(jq -s 'any(.[]; .result == "done")' "$folder/journal.jsonl")"
    counts="$(jq -cs 'map(select(.result == "done").operation) | group_by(.) | map({key: .[0], value: length}) | from_entries' "$folder/journal.jsonl")"
    ;;
drift)
    page="$folder/report.md"
    keywright drift "${arguments[@]}" --format markdown --also "json=$folder/drift.json" --also "junit=$folder/drift.xml" >"$page" || code=$?
    if [[ -f "$folder/drift.json" ]]; then
        changes="$(jq '.hasDrift' "$folder/drift.json")"
        counts="$(jq -c '[.targets[] | .counts // {} | to_entries[]] | group_by(.key) | map({key: .[0].key, value: (map(.value) | add)}) | from_entries' "$folder/drift.json")"
        findings="$(jq '[.[]] | add // 0' <<<"$counts")"
    fi
    ;;
inventory)
    page="$folder/inventory.txt"
    keywright inventory "${arguments[@]}" --format text --also "json=$folder/inventory.json" --also "html=$folder/inventory.html" \
        --also "csv=$folder/inventory.csv" --also "sarif=$folder/inventory.sarif" --also "junit=$folder/inventory.xml" >"$page" || code=$?
    if [[ -f "$folder/inventory.json" ]]; then
        counts="$(jq -c '.totals.findings' "$folder/inventory.json")"
        findings="$(jq '[.totals.findings[]] | add // 0' "$folder/inventory.json")"
    fi
    ;;
esac

[[ "$command" == validate || "$page" == *.html || ! -f "$page" ]] || show "$page"
if [[ -n "${GITHUB_STEP_SUMMARY:-}" && -s "$page" && "$page" == *.md ]]; then
    cat "$page" >>"$GITHUB_STEP_SUMMARY"
fi
result="$code"
((code != 2)) || [[ "${KEYWRIGHT_FAIL_ON_FOUND:-true}" == true ]] || result=0
# Programs of Windows, such as the one that uploads artifacts, do not know the paths of Bash there.
native() {
    if [[ -n "$1" ]] && command -v cygpath >/dev/null; then cygpath -w "$1"; else printf '%s\n' "$1"; fi
}
{
    printf 'code=%s\nresult=%s\nhas-changes=%s\ncounts=%s\n' "$code" "$result" "$changes" "$counts"
    printf 'findings=%s\nplan-file=%s\nfingerprint=%s\nreport=%s\n' "$findings" "$(native "$plan")" "$fingerprint" "$(native "$folder")"
} >"$folder/outputs"
