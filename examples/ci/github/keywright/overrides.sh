#!/usr/bin/env bash
# Prints what the override files of a change say, an entry a line: {file, reason, guard, targets, secrets}.
#
#   overrides.sh PROJECT BASE COMMIT
#
# The files are keywright-overrides/NAME.json of the project, as far as they differ between BASE and COMMIT. Ends with 1 when
# one of them cannot be read. plan.sh and apply.sh both read them through this, so that neither sees what the other does not.
set -euo pipefail
shopt -s inherit_errexit

project="${1:?usage: overrides.sh PROJECT BASE COMMIT}"
base="${2:?usage: overrides.sh PROJECT BASE COMMIT}"
commit="${3:?usage: overrides.sh PROJECT BASE COMMIT}"

git -C "$project" diff --relative --no-renames --name-only --diff-filter=AM -z "$base" "$commit" -- keywright-overrides |
    while IFS= read -r -d '' file; do
        # Neither a link nor a folder: what is read is what the reviewers saw.
        if [[ "$file" != *.json || "$(git -C "$project" ls-tree "$commit" -- "$file")" != "100644 blob "* ]]; then
            continue
        fi
        git -C "$project" show "$commit:./$file" | jq -ce --arg file "$file" '
            . as {$reason, $overrides} | $overrides[] | {file: $file, reason: ($reason | tostring), guard, targets, secrets}
            ' || {
            echo "::error::$project/keywright-overrides has a file that cannot be read as overrides" >&2
            exit 1
        }
    done
