#!/usr/bin/env bash
# The commit that a pipeline's change is made to: files that override guards count when they came since then.
#
#   base.sh     prints it: of a merge request, what it is merged into; on a branch, what was applied to KEYWRIGHT_TARGET
# last, as far
#               as the cache knows it, else what was there before the push
#
# Merges whose job nobody has started yet are a part of the next plan, and so are the files that came with them.
set -euo pipefail

if [[ -n "${CI_MERGE_REQUEST_DIFF_BASE_SHA:-}" ]]; then
    echo "$CI_MERGE_REQUEST_DIFF_BASE_SHA"
    exit 0
fi
applied="$(cat ".keywright-applied/${KEYWRIGHT_TARGET:?}" 2>/dev/null || true)"
for commit in "$applied" "${CI_COMMIT_BEFORE_SHA:-}"; do
    if [[ "$commit" =~ ^[0-9a-f]{40}$ ]] && git merge-base --is-ancestor "$commit" HEAD 2>/dev/null; then
        echo "$commit"
        exit 0
    fi
done
