#!/usr/bin/env bash
# The fingerprints of the plans in FOLDER/keywright-plan-TARGET, as fingerprints={"TARGET":"sha256:..."} for GITHUB_OUTPUT.
#
#   fingerprints.sh FOLDER
set -euo pipefail

folder="${1:?usage: fingerprints.sh FOLDER}"
fingerprints="$(for plan in "$folder"/keywright-plan-*/; do
    [[ ! -f "$plan/approved.json" ]] || jq -c --arg target "$(basename "$plan")" \
        '{($target | ltrimstr("keywright-plan-")): .fingerprint}' "$plan/approved.json"
done | jq -cs 'add // {}')"
# Nothing to approve: every target has an error, or a guard refuses it.
if [[ "$fingerprints" == "{}" ]]; then
    echo "::error::there is no plan that could be approved" >&2
    exit 1
fi
echo "fingerprints=$fingerprints"
