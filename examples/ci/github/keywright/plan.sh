#!/usr/bin/env bash
# Plans with the job's credentials, and leaves behind what reviewers read and what an apply compares with.
#
#   plan.sh FOLDER     writes FOLDER/plan.md, and FOLDER/approved.json unless there is an error or a guard refuses
#
# KEYWRIGHT_PROJECT is the project's folder, KEYWRIGHT_FLAGS holds more flags, for example: --target prod --max-deletes 10
# The apply needs the same flags: they are part of the approved plan.
set -euo pipefail

folder="${1:?usage: plan.sh FOLDER}"
project="${KEYWRIGHT_PROJECT:-.}"
# Split at blanks and nothing else: no quoting, no patterns, no commands.
read -ra flags <<<"${KEYWRIGHT_FLAGS:-}"

mkdir -p "$folder"
status=0
keywright plan --project "$project" ${flags[@]+"${flags[@]}"} \
    --format markdown --out "$folder/approved.json" >"$folder/plan.md" || status=$?
if [[ -n "${GITHUB_STEP_SUMMARY:-}" ]]; then
    cat "$folder/plan.md" >>"$GITHUB_STEP_SUMMARY"
fi
case $status in
3) echo "::error::a guard refuses this plan: the plan names it, and the flag that overrides it" ;;
esac
exit "$status"
