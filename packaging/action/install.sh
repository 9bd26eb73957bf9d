#!/usr/bin/env bash
# Downloads a release of keywright, checks it, and puts it on the PATH of the job.
#
#   install.sh FOLDER
#
# KEYWRIGHT_VERSION is the version, by default the one of the commit that this script is in; KEYWRIGHT_SHA256 the checksum of its archive. It is checked
# in three ways, and refused when none of the last two can be: by the release's SHA256SUMS (which shows damage, and not a release that somebody
# replaced), by KEYWRIGHT_SHA256 where it is given, and by its attestation where there is gh: built by the release workflow of the repository, on its
# own machines, from the tag. GH_TOKEN is for that. KEYWRIGHT_RELEASES is another place with the same folders, such as a mirror.
set -euo pipefail

folder="${1:?usage: install.sh FOLDER}"
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
cargo="$here/../../Cargo.toml"

fail() {
    echo "::error::keywright was not installed: $1"
    exit 1
}

# Cargo.toml is the one place that names them.
own() { sed -n "s/^$1 = \"\(.*\)\"\$/\1/p" "$cargo" | head -n 1; }
version="${KEYWRIGHT_VERSION:-$(own version)}"
version="${version#v}"
repository="$(own repository)"
[[ "$version" =~ ^[0-9]+\.[0-9]+\.[0-9]+(-(alpha|beta|rc)\.[0-9]+)?$ ]] || fail "the version is no version such as 1.2.3"
[[ -z "${KEYWRIGHT_SHA256:-}" || "$KEYWRIGHT_SHA256" =~ ^[0-9a-f]{64}$ ]] || fail "sha256 is no checksum of 64 lower-case hexadecimal digits"
name="${repository#https://*/}"
if [[ "$repository" == */OWNER/* && -z "${KEYWRIGHT_RELEASES:-}" ]]; then
    fail "this copy of the action has no releases: the repository in its Cargo.toml is a placeholder"
fi
releases="${KEYWRIGHT_RELEASES:-$repository/releases/download}"

case "$(uname -s)-$(uname -m)" in
Linux-x86_64) target=x86_64-unknown-linux-musl ;;
Linux-aarch64 | Linux-arm64) target=aarch64-unknown-linux-musl ;;
Darwin-x86_64) target=x86_64-apple-darwin ;;
Darwin-arm64) target=aarch64-apple-darwin ;;
MINGW*-x86_64 | MSYS*-x86_64) target=x86_64-pc-windows-msvc ;;
*) fail "there is no release for $(uname -s) on $(uname -m)" ;;
esac
program=keywright
archive="keywright-$version-$target.tar.gz"
if [[ "$target" == *-windows-* ]]; then
    program=keywright.exe
    archive="keywright-$version-$target.zip"
fi

download="$(mktemp -d)"
trap 'rm -rf "$download"' EXIT
for file in SHA256SUMS "$archive"; do
    curl --fail --silent --show-error --location --proto '=https,file' --retry 3 --max-time 300 --output "$download/$file" \
        "$releases/v$version/$file" || fail "$file of v$version could not be downloaded from $releases"
done

sum="$( (sha256sum "$download/$archive" 2>/dev/null || shasum -a 256 "$download/$archive") | cut -d ' ' -f 1)"
[[ "$sum" =~ ^[0-9a-f]{64}$ ]] || fail "there is neither sha256sum nor shasum"
grep -qxF "$sum  $archive" "$download/SHA256SUMS" || fail "$archive has the checksum $sum, which is not the one in SHA256SUMS"
checked="its checksum"
if [[ -n "${KEYWRIGHT_SHA256:-}" ]]; then
    [[ "$sum" == "$KEYWRIGHT_SHA256" ]] || fail "$archive has the checksum $sum, and $KEYWRIGHT_SHA256 is asked for"
    checked="the checksum that is asked for"
fi
if command -v gh >/dev/null; then
    gh attestation verify "$download/$archive" --repo "$name" --signer-workflow "$name/.github/workflows/release.yml" \
        --source-ref "refs/tags/v$version" --deny-self-hosted-runners >&2 || fail "$archive has no attestation of the release workflow of $name"
    checked="$checked and its attestation"
elif [[ -z "${KEYWRIGHT_SHA256:-}" ]]; then
    fail "without gh its attestation cannot be checked: install gh, or give the checksum of $archive as sha256"
fi

mkdir -p "$folder"
if [[ "$archive" == *.zip ]]; then
    unzip -q -o -j "$download/$archive" "${archive%.zip}/$program" -d "$folder"
else
    tar -xzf "$download/$archive" -C "$folder" --strip-components=1 "${archive%.tar.gz}/$program"
fi
said="$("$folder/$program" --version)"
[[ "$said" == "keywright $version" ]] || fail "$archive holds something that calls itself $said"
[[ -z "${GITHUB_PATH:-}" ]] || echo "$folder" >>"$GITHUB_PATH"
echo "keywright $version, by $checked"
