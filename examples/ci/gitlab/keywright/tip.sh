#!/usr/bin/env bash
# Refuses to apply a commit that is not the newest: an old job that is run again, or one that waited while another merge came,
# would put older secrets over newer ones. The pipeline of the newer commit has planned what both ask for.
#
#   tip.sh BRANCH     in a checkout that has the branch's history; ends with 1 when HEAD must not be applied
#
# KEYWRIGHT_PROJECT is the project's folder. Newer commits that leave it alone do no harm: what HEAD says is still the newest.
set -euo pipefail

branch="${1:?usage: tip.sh BRANCH}"
project="${KEYWRIGHT_PROJECT:-.}"

head="$(git rev-parse HEAD)"
tip="$(git ls-remote --exit-code origin "refs/heads/$branch" | cut -f 1)"
if [[ "$head" == "$tip" ]]; then
    exit 0
fi
git fetch --quiet origin "$tip"
if ! git merge-base --is-ancestor "$head" "$tip"; then
    echo "$head is not on $branch, whose tip is $tip: only what was merged is applied"
    exit 1
fi
if git diff --quiet "$head" "$tip" -- "$project"; then
    echo "$branch has moved on to $tip, and $project is the same there"
    exit 0
fi
echo "$head is older than $branch, whose tip is $tip: nothing was applied, the job of the newer commit does it"
exit 1
