#!/usr/bin/env bash
# Shows a plan in one comment of a pull request: creates it the first time, updates it in place afterwards.
#
#   GH_TOKEN=... GITHUB_REPOSITORY=owner/name comment.sh NUMBER PLAN.md
set -euo pipefail

number="${1:?usage: comment.sh NUMBER PLAN.md}"
file="${2:?usage: comment.sh NUMBER PLAN.md}"
comments="repos/${GITHUB_REPOSITORY:?}/issues/$number/comments"
# Who this job writes as. Nobody else's comment is ever changed, whatever it begins with.
author="${KEYWRIGHT_AUTHOR:-github-actions[bot]}"

# The first line of a plan names its project: <!-- keywright:plan payments -->
IFS= read -r marker <"$file" || true
if [[ "$marker" != '<!-- keywright:plan '*' -->' ]]; then
    echo "::error::$file does not begin with the marker of keywright plan --format markdown"
    exit 1
fi

found=
while IFS=$'\t' read -r id login first; do
    if [[ "$login" == "$author" && "${first%$'\r'}" == "$marker" ]]; then
        found="$id"
        break
    fi
done < <(gh api --paginate "$comments?per_page=100" \
    --jq '.[] | [(.id | tostring), .user.login, (.body | split("\n")[0])] | join("\t")')

if [[ -n "$found" ]]; then
    gh api --silent --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$found" --field "body=@$file"
    echo "updated comment $found"
else
    gh api --silent --method POST "$comments" --field "body=@$file"
    echo "created a comment"
fi
