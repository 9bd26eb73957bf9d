#!/usr/bin/env bash
# Puts keywright on the PATH of a job: takes the binary out of a container image, without running anything of it.
#
#   install.sh FOLDER     the image is in the file `image` beside this script, or in KEYWRIGHT_IMAGE
#
# A file and not a variable of the repository: GitHub gives variables to no pull request of a fork.
set -euo pipefail

folder="${1:?usage: install.sh FOLDER}"
image="${KEYWRIGHT_IMAGE:-$(cat "$(dirname "${BASH_SOURCE[0]}")/image")}"

# A tag can be moved to another image, and what is installed here gets credentials.
if [[ ! "$image" =~ ^[^[:space:]]+@sha256:[0-9a-f]{64}$ ]]; then
    echo "::error::the image of keywright names no digest: write it as registry/keywright@sha256:..."
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
