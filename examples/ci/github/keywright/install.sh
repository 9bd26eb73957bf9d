#!/usr/bin/env bash
# Puts keywright on the PATH of a job: takes the binary out of a container image, without running anything of it.
#
#   KEYWRIGHT_IMAGE=registry/keywright@sha256:... install.sh FOLDER
set -euo pipefail

folder="${1:?usage: install.sh FOLDER}"
image="${KEYWRIGHT_IMAGE:?set the repository variable KEYWRIGHT_IMAGE to an image of keywright}"

# A tag can be moved to another image, and what is installed here gets credentials.
if [[ ! "$image" =~ @sha256:[0-9a-f]{64}$ ]]; then
    echo "::error::KEYWRIGHT_IMAGE names no digest: write it as registry/keywright@sha256:..."
    exit 1
fi
mkdir -p "$folder"
container="$(docker create "$image")"
docker cp "$container:/keywright" "$folder/keywright"
docker rm "$container" >/dev/null
if [[ -n "${GITHUB_PATH:-}" ]]; then
    echo "$folder" >>"$GITHUB_PATH"
fi
"$folder/keywright" --version
