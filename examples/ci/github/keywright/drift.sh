#!/usr/bin/env bash
# Looks for drift in one target, with the job's credentials, and writes what was found.
#
#   drift.sh FOLDER     writes FOLDER/drift.md, drift.json and result.json; ends as keywright does, but for drift, which is
# no failure
#
# KEYWRIGHT_TARGET is the target: whatever the project names besides, this job's role need not see it.
set -euo pipefail

folder="${1:?usage: drift.sh FOLDER}"
target="${KEYWRIGHT_TARGET:?}"
read -ra flags <<<"${KEYWRIGHT_FLAGS:-}"
mkdir -p "$folder" .keywright-cache
status=0
keywright drift --project "${KEYWRIGHT_PROJECT:-.}" --target "$target" "${flags[@]}" --cache ".keywright-cache/$target.json" \
    --format markdown --also "json=$folder/drift.json" >"$folder/drift.md" || status=$?
jq -cn --arg target "$target" --arg code "$status" '{target: $target, code: ($code | tonumber)}' >"$folder/result.json"
if [[ -n "${GITHUB_STEP_SUMMARY:-}" ]]; then
    cat "$folder/drift.md" >>"$GITHUB_STEP_SUMMARY"
fi
((status != 2)) || exit 0
exit "$status"
