#!/usr/bin/env bash
# Keeps one issue about each target's drift: opens it when there is some, updates it in place while there is, closes it
# when it is gone.
#
#   GH_TOKEN=... GITHUB_REPOSITORY=owner/name drift-issue.sh FOLDER
#
# FOLDER has drift.md and drift.json of one target, as drift.sh leaves them. What drifted and what could not be looked at
# are two things: the issue's title and its first lines say each by itself. It stays open until everything was looked at
# and nothing drifts.
set -euo pipefail
shopt -s inherit_errexit

folder="${1:?usage: drift-issue.sh FOLDER}"
issues="repos/${GITHUB_REPOSITORY:?}/issues"
label=keywright-drift
author="${KEYWRIGHT_AUTHOR:-github-actions[bot]}"
run="${GITHUB_SERVER_URL:-https://github.com}/$GITHUB_REPOSITORY/actions/runs/${GITHUB_RUN_ID:-}"

# The first line of a report names its project: <!-- keywright:drift payments -->. That of the issue names the target too.
marker=
if [[ -f "$folder/drift.md" ]]; then
    IFS= read -r marker <"$folder/drift.md" || true
fi
if [[ "$marker" != '<!-- keywright:drift '*' -->' || ! -s "$folder/drift.json" ]]; then
    # The project is broken: the job of this target fails, and nothing is known about drift.
    echo "::error::there is no report of drift in $(basename "$folder"), see the log of its job"
    exit 1
fi
project="${marker#<!-- keywright:drift }"
project="${project% -->}"
counts="$(jq -er '.targets | if length == 1 then .[0] else error("not one target") end
    | (.counts // {}) as $counts
    | ([$counts | to_entries[] | select(.key != "unknown" and .key != "re-encrypted")]) as $drifted
    | [.name, ([$drifted[].value] | add // 0), ([$drifted[] | "\(.key) \(.value)"] | join(", ")), ($counts.unknown // 0),
        (if .error != null then "target" else "" end)]
    | map(tostring) | join("|")' "$folder/drift.json")"
IFS='|' read -r target drifted classes unknown unreached <<<"$counts"
marker="<!-- keywright:drift $project $target -->"

drift="**Drifted: $drifted.**"
[[ -z "$classes" ]] || drift="**Drifted: $drifted** ($classes)."
if [[ -n "$unreached" ]]; then
    drift="**Drifted:** not known."
    unseen="**Could not be looked at: the whole target.** The report says why."
    title="Secrets of $project in $target could not be looked at"
else
    unseen="**Could not be looked at: $unknown.**"
    title="Secrets of $project in $target drift from git"
    ((unknown == 0)) || title="$title, and some could not be looked at"
    ((drifted > 0)) || title="Some secrets of $project in $target could not be looked at"
fi
body="$(mktemp)"
{
    printf '%s\n\n- %s\n- %s\n' "$marker" "$drift" "$unseen"
    tail -n +2 "$folder/drift.md"
} >"$body"

# Text of others is compared in jq and never split into fields here: an issue whose author is gone has none.
found="$(gh api --paginate "$issues?state=open&labels=$label&per_page=100" | jq -rs --arg author "$author" --arg marker "$marker" '
    [.[][] | select(.pull_request == null and .user.login == $author)
        | select((.body // "" | split("\n")[0] // "" | rtrimstr("\r")) == $marker) | .number][0] // empty')"

if [[ -z "$unreached" ]] && ((drifted == 0 && unknown == 0)); then
    if [[ -n "$found" ]]; then
        gh api --silent --method POST "$issues/$found/comments" --raw-field "body=No drift any more: $run"
        gh api --silent --method PATCH "$issues/$found" --raw-field state=closed --raw-field state_reason=completed
        echo "$target: closed issue $found"
    else
        echo "$target: no drift"
    fi
elif [[ -n "$found" ]]; then
    gh api --silent --method PATCH "$issues/$found" --raw-field "title=$title" --field "body=@$body"
    echo "$target: updated issue $found"
else
    gh api --silent --method POST "$issues" --raw-field "title=$title" --field "body=@$body" --raw-field "labels[]=$label"
    echo "$target: opened an issue"
fi
rm -f "$body"
