#!/usr/bin/env bash
# Shows the plans of all targets on a pull request, and takes back approvals that were given to other plans.
#
#   GH_TOKEN=... GITHUB_REPOSITORY=owner/name show.sh NUMBER FOLDER SHOWN
#
# FOLDER has a folder for each target, keywright-plan-TARGET, with what plan.sh left there. SHOWN gets TARGET/plan.md and
# TARGET/approved.json of each, once its comment is there: what is kept in it was in front of whoever approves later.
set -euo pipefail
shopt -s inherit_errexit

usage="usage: show.sh NUMBER FOLDER SHOWN"
number="${1:?$usage}"
folder="${2:?$usage}"
shown="${3:?$usage}"
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
mkdir -p "$shown"

another=
for plan in "$folder"/keywright-plan-*/; do
    [[ -f "$plan/plan.md" ]] || continue
    target="$(basename "$plan")"
    target="${target#keywright-plan-}"
    fingerprint="nothing that can be applied"
    changes=false
    if [[ -f "$plan/approved.json" ]]; then
        fingerprint="$(jq -r '.fingerprint | select(test("^sha256:[0-9a-f]{64}$"))' "$plan/approved.json")"
        changes="$(jq '[.lines[] | fromjson | select(has("secret"))] != []' "$plan/approved.json")"
    fi
    said="$("$here/comment.sh" "$number" "$plan/plan.md" "$target" "${fingerprint:?}")"
    echo "$target: ${said//$'\n'/, }"
    if [[ "$said" == *"shown now" && "$changes" == true ]]; then
        another="$another $target"
    fi
    mkdir -p "$shown/$target"
    cp "$plan"/*.md "$shown/$target/"
    if [[ -f "$plan/approved.json" ]]; then
        cp "$plan/approved.json" "$shown/$target/"
    fi
done

# GitHub takes approvals back for new commits, and not for new plans.
if [[ -n "$another" ]]; then
    pull="repos/${GITHUB_REPOSITORY:?}/pulls/$number"
    reviews="$(gh api --paginate "$pull/reviews?per_page=100" --jq '.[] | select(.state == "APPROVED") | .id')"
    for review in $reviews; do
        gh api --silent --method PUT "$pull/reviews/$review/dismissals" --raw-field event=DISMISS \
            --raw-field "message=The plan is another one than before:$another. Please look at it and approve again."
        echo "dismissed review $review"
    done
fi
