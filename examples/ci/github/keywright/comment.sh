#!/usr/bin/env bash
# Shows a target's plan in one comment of a pull request: creates it the first time, updates it in place afterwards.
#
#   GH_TOKEN=... GITHUB_REPOSITORY=owner/name comment.sh NUMBER PLAN.md TARGET FINGERPRINT
#
# The last line that it prints is `shown before` when the comment already showed a plan of that fingerprint, else `shown now`.
set -euo pipefail

usage="usage: comment.sh NUMBER PLAN.md TARGET FINGERPRINT"
number="${1:?$usage}"
file="${2:?$usage}"
target="${3:?$usage}"
fingerprint="${4:?$usage}"
comments="repos/${GITHUB_REPOSITORY:?}/issues/$number/comments"
# Who this job writes as. Nobody else's comment is ever changed, whatever it begins with.
author="${KEYWRIGHT_AUTHOR:-github-actions[bot]}"

# The first line of a plan names its project: <!-- keywright:plan payments -->. That of the comment names the target too.
IFS= read -r marker <"$file" || true
if [[ "$marker" != '<!-- keywright:plan '*' -->' ]]; then
    echo "::error::$file does not begin with the marker of keywright plan --format markdown"
    exit 1
fi
marker="${marker% -->} $target -->"
body="$(mktemp)"
{
    printf '%s\n<!-- %s -->\n' "$marker" "$fingerprint"
    tail -n +2 "$file"
    # Where approvals are not bound to plans, the comment says nothing of them (KEYWRIGHT_APPROVALS=none).
    # shellcheck disable=SC2016 # the backticks are Markdown
    [[ "${KEYWRIGHT_APPROVALS:-bound}" == none ]] || printf '\nAn approval of this pull request is for this plan, `%s`; a plan that differs asks for a new one.\n' "$fingerprint"
} >"$body"

found=
shown=now
# Text of others is compared in jq and never split into fields here: a comment whose author is gone has none.
known="$(gh api --paginate "$comments?per_page=100" | jq -rs --arg author "$author" --arg marker "$marker" --arg shown "<!-- $fingerprint -->" '
    [.[][] | select(.user.login == $author) | {id, lines: (.body // "" | split("\n") | map(rtrimstr("\r")))} | select(.lines[0] == $marker)][0]
    // empty | "\(.id) \(if .lines[1] == $shown then "before" else "now" end)"')"
[[ -z "$known" ]] || read -r found shown <<<"$known"

if [[ -n "$found" ]]; then
    gh api --silent --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$found" --field "body=@$body"
    echo "updated comment $found"
else
    gh api --silent --method POST "$comments" --field "body=@$body"
    echo "created a comment"
fi
rm -f "$body"
echo "shown $shown"
