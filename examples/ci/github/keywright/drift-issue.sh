#!/usr/bin/env bash
# Keeps one issue about drift: opens it when there is some, updates it in place while there is, closes it when it is gone.
#
#   GH_TOKEN=... GITHUB_REPOSITORY=owner/name drift-issue.sh STATUS REPORT.md
#
# STATUS is the exit code of keywright drift: 0 no drift, 2 drift, anything else: something could not be looked at.
set -euo pipefail

status="${1:?usage: drift-issue.sh STATUS REPORT.md}"
file="${2:?usage: drift-issue.sh STATUS REPORT.md}"
issues="repos/${GITHUB_REPOSITORY:?}/issues"
label=keywright-drift
author="${KEYWRIGHT_AUTHOR:-github-actions[bot]}"
run="${GITHUB_SERVER_URL:-https://github.com}/$GITHUB_REPOSITORY/actions/runs/${GITHUB_RUN_ID:-}"

# The first line of a report names its project: <!-- keywright:drift payments -->
marker=
if [[ -f "$file" ]]; then
    IFS= read -r marker <"$file" || true
fi
if [[ "$marker" != '<!-- keywright:drift '*' -->' ]]; then
    # The project is broken, or nothing could be reached: the job fails, and says nothing about drift.
    echo "::error::there is no report of drift, see the log (keywright ended with $status)"
    exit 1
fi
project="${marker#<!-- keywright:drift }"
project="${project% -->}"

found=
while IFS=$'\t' read -r number login first; do
    if [[ "$login" == "$author" && "${first%$'\r'}" == "$marker" ]]; then
        found="$number"
        break
    fi
done < <(gh api --paginate "$issues?state=open&labels=$label&per_page=100" \
    --jq '.[] | select(.pull_request == null)
        | [(.number | tostring), .user.login, (.body // "" | split("\n")[0])] | join("\t")')

if [[ "$status" == 0 ]]; then
    if [[ -n "$found" ]]; then
        gh api --silent --method POST "$issues/$found/comments" --raw-field "body=No drift any more: $run"
        gh api --silent --method PATCH "$issues/$found" --raw-field state=closed --raw-field state_reason=completed
        echo "closed issue $found"
    fi
elif [[ -n "$found" ]]; then
    gh api --silent --method PATCH "$issues/$found" --field "body=@$file"
    echo "updated issue $found"
else
    gh api --silent --method POST "$issues" --raw-field "title=Secrets of $project drift from git" \
        --field "body=@$file" --raw-field "labels[]=$label"
    echo "opened an issue"
fi

# Drift is told by the issue; that something could not be looked at is a failure of the job.
[[ "$status" == 0 || "$status" == 2 ]]
