#!/usr/bin/env bash
# Carries out the plan that somebody has read, and no other.
#
#   KEYWRIGHT_APPROVED=FINGERPRINT apply.sh FOLDER     FOLDER/approved.json is the plan of this pipeline
#
# KEYWRIGHT_APPROVED is the fingerprint on the plan's page, or its first twelve characters or more; whoever starts the job
# gives it. So a job `plan` that was run again since then cannot put another plan in the place of the one that was read.
set -euo pipefail

folder="${1:?usage: apply.sh FOLDER}"
target="${KEYWRIGHT_TARGET:?}"
read -ra flags <<<"${KEYWRIGHT_FLAGS:-}"

if [[ ! -f "$folder/approved.json" ]]; then
    echo "there is no plan of $target that could be applied: see its job"
    exit 4
fi
fingerprint="$(jq -r .fingerprint "$folder/approved.json")"
approved="${KEYWRIGHT_APPROVED:-}"
approved="${approved#sha256:}"
if [[ ! "$approved" =~ ^[0-9a-f]{12,64}$ || "$fingerprint" != "sha256:$approved"* ]]; then
    echo "start this job with the variable KEYWRIGHT_APPROVED, which is the fingerprint on the page of the plan that you have read."
    echo "This is not the one of the plan of $target: nothing was applied"
    exit 4
fi
"$(dirname "${BASH_SOURCE[0]}")/tip.sh" "${CI_DEFAULT_BRANCH:?}"
# The guards that the plan overrides: they were on its page, and are in the fingerprint.
readarray -t overrides < <(jq -r '.lines[0] | fromjson | .guardOverrides[] | split(" ")[]' "$folder/approved.json")
keywright apply "$folder/approved.json" --project "${KEYWRIGHT_PROJECT:-.}" --target "$target" "${flags[@]}" "${overrides[@]}" \
    --journal "$folder/journal.jsonl"
mkdir -p .keywright-applied
git rev-parse HEAD >".keywright-applied/$target"
