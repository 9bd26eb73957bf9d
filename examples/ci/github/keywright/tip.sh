#!/usr/bin/env bash
# Refuses to apply a commit that is not the newest: a re-run of an old job, or one that waited while another merge came,
# would put older secrets over newer ones.
#
#   tip.sh BRANCH     in a checkout that has the branch's history; ends with 1 when HEAD must not be applied
#
# KEYWRIGHT_PROJECT is the project's folder. Newer commits that leave it alone do no harm: what HEAD says is still the newest.
# GH_TOKEN, where it is set, reads a private repository on GITHUB_SERVER_URL; it stays in this script's environment.
set -euo pipefail

if [[ -n "${GH_TOKEN:-}" ]]; then
    export GIT_CONFIG_COUNT=1
    export GIT_CONFIG_KEY_0="http.${GITHUB_SERVER_URL:-https://github.com}/.extraheader"
    GIT_CONFIG_VALUE_0="AUTHORIZATION: basic $(printf 'x-access-token:%s' "$GH_TOKEN" | base64 | tr -d '\n')"
    export GIT_CONFIG_VALUE_0
fi

branch="${1:?usage: tip.sh BRANCH}"
project="${KEYWRIGHT_PROJECT:-.}"

head="$(git rev-parse HEAD)"
tip="$(git ls-remote --exit-code origin "refs/heads/$branch" | cut -f 1)"
if [[ "$head" == "$tip" ]]; then
    exit 0
fi
git fetch --quiet origin "$tip"
if ! git merge-base --is-ancestor "$head" "$tip"; then
    echo "::error::$head is not on $branch, whose tip is $tip: only what was merged is applied"
    exit 1
fi
if git diff --quiet "$head" "$tip" -- "$project"; then
    echo "$branch has moved on to $tip, and $project is the same there"
    exit 0
fi
echo "::error::$head is older than $branch, whose tip is $tip: nothing was applied, the job of the newer commit does it"
exit 1
