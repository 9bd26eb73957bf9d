#!/usr/bin/env bash
# Prints what the override files of a change say, an entry a line: {file, reason, guard, flag, targets, secrets}. The flag is
# the one that overrides this guard, and no other; null where there is none.
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

flags='{
    "adopt-cloudformation": "--allow-adopt-cloudformation", "cancel-rotation": "--allow-cancel-rotation",
    "copy-value": "--allow-copy-values", "delete-rotating": "--allow-cancel-rotation",
    "delete-unowned": "--allow-delete-unowned", "empty-project": "--allow-empty",
    "keeps-none": "--allow-remove-all", "lock-out": "--allow-lock-out", "max-changes-percent": "--max-changes-percent",
    "max-deletes": "--max-deletes", "move-deletes-old": "--allow-moves", "overwrite-replica": "--allow-overwrite-replicas",
    "protected": "--allow-protected", "protected-replica": "--allow-protected", "public-policy": "--allow-public-policy",
    "remove-replicas": "--allow-remove-replicas",
    "cross-account-replica": "--allow-cross-account-replica", "replica-anywhere": "--allow-replica-anywhere",
    "replace-replica": "--allow-replace-replicas", "rename-loses-value": "--allow-lose-value",
    "replace-value": "--allow-replace-values", "restore-unowned": "--allow-restore-unowned",
    "rotate-now": "--allow-rotate-now", "scope-changed": "--allow-scope-change", "skipped-files": "--allow-skipped-files",
    "sparse-checkout": "--allow-skipped-files", "sparse-defaults": "--allow-skipped-files",
    "checkout-unknown": "--allow-skipped-files",
    "target-change-loses-value": "--allow-lose-value", "target-not-in-run": "--allow-lose-value",
    "replica-of-other-target": "--allow-remove-replicas",
    "undo-rotation": "--allow-undo-rotation"
}'

git -C "$project" diff --relative --no-renames --name-only --diff-filter=AM -z "$base" "$commit" -- keywright-overrides |
    while IFS= read -r -d '' file; do
        # Neither a link nor a folder: what is read is what the reviewers saw.
        if [[ "$file" != *.json || "$(git -C "$project" ls-tree "$commit" -- "$file")" != "100644 blob "* ]]; then
            continue
        fi
        git -C "$project" show "$commit:./$file" | jq -ce --arg file "$file" --argjson flags "$flags" '
            . as {$reason, $overrides} | $overrides[]
            | {file: $file, reason: ($reason | tostring), guard, flag: $flags[.guard | tostring], targets, secrets}
            ' || {
            echo "::error::$project/keywright-overrides has a file that cannot be read as overrides" >&2
            exit 1
        }
    done
