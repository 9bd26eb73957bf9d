#!/usr/bin/env bash
# The step of the GitHub Action: runs the command in a folder of its own, so that an action can be used twice in a job, and hands on the outputs.
#
#   step.sh
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
folder="$(mktemp -d "${RUNNER_TEMP:?}/keywright-XXXXXX")/report"
# Until everything is shown nothing is over, and nothing has gone well either.
printf 'result=1\n' >>"${GITHUB_OUTPUT:?}"
"$here/run.sh" "$folder"
cat "$folder/outputs" >>"$GITHUB_OUTPUT"
rm "$folder/outputs"
