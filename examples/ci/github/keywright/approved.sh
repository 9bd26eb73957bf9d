#!/usr/bin/env bash
# Fetches the plan that was approved with the pull request which last changed the project.
#
#   GH_TOKEN=... GITHUB_REPOSITORY=owner/name approved.sh FOLDER     writes FOLDER/approved.json when there is one
#
# In a checkout with history. A pull request from a fork, a direct push and a plan that a guard refused have no approved plan:
# the script says so and ends with 0, and apply.sh then applies nothing.
set -euo pipefail

folder="${1:?usage: approved.sh FOLDER}"
repository="${GITHUB_REPOSITORY:?}"
project="${KEYWRIGHT_PROJECT:-.}"

# The merge that brought the project to where it is. Later merges that leave it alone have plans of nothing.
merged="$(git log --first-parent --max-count 1 --format=%H HEAD -- "$project")"
if [[ -z "$merged" ]]; then
    echo "::error::no commit has $project: set KEYWRIGHT_PROJECT to the folder of keywright.yaml"
    exit 1
fi
head="$(gh api "repos/$repository/commits/$merged/pulls" \
    --jq "[.[] | select(.merged_at != null and .merge_commit_sha == \"$merged\")][0].head.sha // \"\"")"
if [[ ! "$head" =~ ^[0-9a-f]{40}$ ]]; then
    echo "$merged came with no pull request: there is no approved plan"
    exit 0
fi
# A run of a fork's pull request may upload an artifact of any name: only runs of this repository's own branches count.
run="$(gh api "repos/$repository/actions/artifacts?per_page=100&name=keywright-plan-$head" \
    --jq "[.artifacts[] | select(.expired == false and .workflow_run.head_sha == \"$head\"
        and .workflow_run.head_repository_id == .workflow_run.repository_id)]
        | sort_by(.created_at) | (last | .workflow_run.id) // \"\"")"
if [[ ! "$run" =~ ^[0-9]+$ ]]; then
    echo "the pull request's plan of $head is not there, or no longer: there is no approved plan"
    exit 0
fi
mkdir -p "$folder"
gh run download "$run" --repo "$repository" --name "keywright-plan-$head" --dir "$folder"
