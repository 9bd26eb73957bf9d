#!/usr/bin/env bash
# What is there in one target, as an auditor would ask: a page, a table, JSON and SARIF, and how many findings of each severity in the summary.
#
#   inventory.sh FOLDER     writes FOLDER/inventory.{html,csv,json,sarif} and result.json; ends as keywright does
#
# KEYWRIGHT_TARGET is the target. KEYWRIGHT_FAIL_ON names findings that end it with 2: kinds, or a severity and what is worse.
set -euo pipefail

folder="${1:?usage: inventory.sh FOLDER}"
target="${KEYWRIGHT_TARGET:?}"
read -ra flags <<<"${KEYWRIGHT_FLAGS:-}"
[[ -z "${KEYWRIGHT_FAIL_ON:-}" ]] || flags+=(--fail-on "$KEYWRIGHT_FAIL_ON")
mkdir -p "$folder"
status=0
keywright inventory --project "${KEYWRIGHT_PROJECT:-.}" --target "$target" "${flags[@]}" --audit --format html --out "$folder/inventory.html" \
    --also "csv=$folder/inventory.csv" --also "json=$folder/inventory.json" --also "sarif=$folder/inventory.sarif" || status=$?
jq -cn --arg target "$target" --arg code "$status" '{target: $target, code: ($code | tonumber)}' >"$folder/result.json"
if [[ -f "$folder/inventory.json" ]]; then
    jq -r --arg target "$target" '"### Inventory of `\($target)`: \(.totals.secrets) secrets\n", "| severity | findings |", "|---|---|",
        (.totals.findings | to_entries[] | select(.value > 0) | "| \(.key) | \(.value) |")' \
        "$folder/inventory.json" | tee -a "${GITHUB_STEP_SUMMARY:-/dev/null}"
fi
exit "$status"
