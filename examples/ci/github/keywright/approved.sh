#!/usr/bin/env bash
# Fetches the plan of one target that was approved with a pull request.
#
#   GH_TOKEN=... GITHUB_REPOSITORY=owner/name approved.sh NUMBER HEAD BASE MERGED-AT TARGET FOLDER
#
# Writes FOLDER/approved.json when there is one; otherwise says why there is none, and ends with 0 as well. In a checkout with
# history. What counts is the plan that was on the pull request when somebody who may write approved its last commit:
#
# - Each plan that was shown is an artifact of its own. Running the workflow again adds one, and overwrites none.
# - All plans that were shown for one last commit have to be the same. GitHub does not say for which pull request a run of it
#   was: a second one with the same commit, into a branch with another workflow, may show whatever it likes under this one's
#   number. So one that differs, before the approval or after it, leaves nothing that could be told to be what was approved.
# - Nothing is believed when the pull request changes .github, nor in a fork.
#
# What this does not keep out: whoever may push to this repository can let a workflow of a branch of their own delete artifacts.
# Against that help rules for who may push branches, and reviewers of the environment that applies.
set -euo pipefail
shopt -s inherit_errexit

usage="usage: approved.sh NUMBER HEAD BASE MERGED-AT TARGET FOLDER"
number="${1:?$usage}"
head="${2:?$usage}"
base="${3:?$usage}"
merged_at="${4:?$usage}"
target="${5:?$usage}"
folder="${6:?$usage}"
repository="${GITHUB_REPOSITORY:?}"
workflow=.github/workflows/keywright-pull-request.yml

none() {
    echo "pull request $number has no approved plan for $target: $1"
    exit 0
}

git fetch --quiet origin "refs/pull/$number/head" || none "its commits are no longer there"
git cat-file -e "$head^{commit}" 2>/dev/null || none "its last commit $head is no longer there"
fork="$(git merge-base "$base" "$head")" || none "it has nothing in common with the branch"
git diff --quiet "$fork" "$head" -- .github || none "it changes .github, and so could have changed what was shown"

# The last word of each reviewer; a comment is none. Who is gone has no word, and what is missing leaves no field empty: an empty one would
# shift those behind it.
declare -A last=()
reviews="$(gh api --paginate "repos/$repository/pulls/$number/reviews?per_page=100" \
    --jq '.[] | select(.user.login) | [.user.login, .state, .commit_id, .submitted_at] | map(. // "-") | join("\t")')"
while IFS=$'\t' read -r login state commit at; do
    [[ -z "$login" || "$state" == COMMENTED || "$state" == PENDING ]] || last["$login"]="$state $commit $at"
done <<<"$reviews"
approved_at=
for login in "${!last[@]}"; do
    read -r state commit at <<<"${last[$login]}"
    [[ "$state" == APPROVED && "$commit" == "$head" && ! "$at" > "$merged_at" ]] || continue
    # On a public repository everybody may press the button.
    [[ "$login" =~ ^[A-Za-z0-9_-]+(\[bot\])?$ ]] || continue
    permission="$(gh api "repos/$repository/collaborators/$login/permission" --jq .permission || true)"
    [[ "$permission" == admin || "$permission" == maintain || "$permission" == write ]] || continue
    [[ "$at" > "$approved_at" ]] && approved_at="$at"
done
[[ -n "$approved_at" ]] || none "nobody who may write approved its last commit $head"

runs="$(gh api --paginate "repos/$repository/actions/runs?head_sha=$head&event=pull_request&per_page=100" \
    --jq ".workflow_runs[] | select((.path | split(\"@\")[0]) == \"$workflow\"
        and .head_repository.id == .repository.id) | .id")"
plans="$(for run in $runs; do
    gh api --paginate "repos/$repository/actions/runs/$run/artifacts?per_page=100" \
        --jq ".artifacts[] | select(.expired == false and (.name | test(\"^keywright-shown-[0-9]+-$head-\")))
            | [.created_at, \"$run\", .name] | join(\"\t\")"
done | sort)"

kept="$(mktemp -d)"
fingerprint_of() { # RUN NAME
    # Two runs may have artifacts of one name.
    [[ -d "$kept/$1-$2" ]] || gh run download "$1" --repo "$repository" --name "$2" --dir "$kept/$1-$2" || return 1
    if [[ -f "$kept/$1-$2/$target/approved.json" ]]; then jq -r .fingerprint "$kept/$1-$2/$target/approved.json"; fi
}
approved=
before=
earlier=()
later=()
while IFS=$'\t' read -r at run name; do
    [[ -n "$name" ]] || continue
    if [[ "$at" < "$approved_at" ]]; then
        earlier+=("$run" "$name")
        if [[ "$name" == "keywright-shown-$number-"* ]]; then
            approved="$name"
            before="$run"
        fi
    elif [[ ! "$at" > "$merged_at" ]]; then
        later+=("$run" "$name")
    fi
done <<<"$plans"
[[ -n "$approved" ]] || none "no plan was shown before the approval of $approved_at, or it is no longer kept"
fingerprint="$(fingerprint_of "$before" "$approved")"
[[ -n "$fingerprint" ]] || none "the one that was shown could not be applied"
for ((at = 0; at < ${#earlier[@]}; at += 2)); do
    if [[ "$(fingerprint_of "${earlier[at]}" "${earlier[at + 1]}")" != "$fingerprint" ]]; then
        none "more than one was shown for its last commit, and which of them was approved cannot be told: push another commit"
    fi
done
for ((at = 0; at < ${#later[@]}; at += 2)); do
    if [[ "$(fingerprint_of "${later[at]}" "${later[at + 1]}")" != "$fingerprint" ]]; then
        none "another one was shown after the approval of $approved_at"
    fi
done
mkdir -p "$folder"
cp "$kept/$before-$approved/$target/approved.json" "$folder/approved.json"
rm -rf "$kept"
echo "pull request $number: the plan for $target that was approved at $approved_at"
