#!/usr/bin/env bash
# One table of what came of each target, in the summary of the run.
#
#   summary.sh TARGETS FOLDER     TARGETS is the list of targets.sh, FOLDER has */result.json, as far as there are any
#
# Ends with 1 when a target has no result, or one that is no success.
set -euo pipefail

targets="${1:?usage: summary.sh TARGETS FOLDER}"
folder="${2:?usage: summary.sh TARGETS FOLDER}"
results="$(for result in "$folder"/*/result.json; do [[ ! -f "$result" ]] || cat "$result"; done | jq -cs 'INDEX(.target)')"
jq -rn --argjson targets "$targets" --argjson results "$results" '
    {"0": "done", "1": "failed", "2": "drift", "3": "a guard refused", "4": "not what was approved", "5": "applied in part"} as $words
    | "| target | account | region | result |", "|---|---|---|---|",
        ($targets[] | $results[.target] as $result | "| \(.target) | \(.account) | \(.region) | "
            + (if $result == null then "**did not run**"
                else ($words["\($result.code)"] // "ended with \($result.code)") + (if $result.text then ": " + $result.text else "" end) end) + " |")
    ' | tee -a "${GITHUB_STEP_SUMMARY:-/dev/null}"
jq -en --argjson targets "$targets" --argjson results "$results" \
    '[$targets[] | ($results[.target] // {code: 1}).code] | all(. == 0 or . == 2)' >/dev/null
