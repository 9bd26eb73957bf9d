#!/usr/bin/env bash
# Applies the approved plan and no other.
#
#   apply.sh FOLDER     FOLDER/approved.json is the approved plan; without one, there must be nothing to do
#
# Ends as keywright does: 0 applied or nothing to do, 3 a guard refused, 4 the plan is stale or none was approved, 5 in part.
set -euo pipefail

folder="${1:?usage: apply.sh FOLDER}"
project="${KEYWRIGHT_PROJECT:-.}"
read -ra flags <<<"${KEYWRIGHT_FLAGS:-}"
again="run this workflow by hand (Actions, keywright apply, Run workflow): it plans afresh and waits for an approval"

status=0
if [[ -f "$folder/approved.json" ]]; then
    keywright apply "$folder/approved.json" --project "$project" ${flags[@]+"${flags[@]}"} \
        --journal "$folder/journal.jsonl" || status=$?
else
    keywright plan --project "$project" ${flags[@]+"${flags[@]}"} --detailed-exitcode || status=$?
    # 2: there are changes, and nobody has approved them. 3: a guard would refuse them besides.
    if ((status == 2 || status == 3)); then
        status=4
    fi
fi
case $status in
4) echo "::error::nothing was applied, since what would be done is not what was approved: $again" ;;
5) echo "::error::applied in part: the log says what failed. Repair it, then $again" ;;
esac
exit "$status"
