#!/usr/bin/env bash
# Shows a plan in its comment on the pull request of the event: made once, and then updated in place.
#
#   comment.sh FOLDER     FOLDER is what run.sh left of a plan; GH_TOKEN may write to pull requests, as KEYWRIGHT_AUTHOR
set -euo pipefail

folder="${1:?usage: comment.sh FOLDER}"
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
number="$(jq -er '.pull_request.number | select(type == "number")' "${GITHUB_EVENT_PATH:?}")" || {
    echo "::error::comment: this event is about no pull request"
    exit 1
}
if [[ ! -s "$folder/report.md" ]]; then
    echo "::error::comment: there is no plan to show"
    exit 1
fi
# By default for all targets: one comment.
export KEYWRIGHT_APPROVALS=none
"$here/../../examples/ci/github/keywright/comment.sh" "$number" "$folder/report.md" "${KEYWRIGHT_TARGET:-all}" \
    "${KEYWRIGHT_FINGERPRINT:-nothing that can be applied}"
