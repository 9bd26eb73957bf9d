#!/usr/bin/env bash
# Applies to one target what was merged, approved and not yet applied, and nothing else.
#
#   apply.sh FOLDER [COMMIT APPROVED.json]
#
# With COMMIT and APPROVED.json a plan that was made and approved after its merge comes first. Then, again and again, the
# newest commit of the branch that fits: a plan made afresh at that commit holds nothing that was not approved with its pull
# request. What a commit that fits leaves out is contained in it, since the plan is the whole difference from what is live.
# What does not fit waits for an older commit that does. So it does not matter in which order runs come, nor whether each
# has one.
#
# What was applied is a commit status, `keywright/TARGET`; nothing older is ever applied again. FOLDER gets journal.jsonl and
# result.json. Ends as keywright does: 0 applied or nothing to do, 1 error, 3 a guard refused, 4 what is left was not
# approved, 5 in part.
set -euo pipefail
# A failure within $(...) is one, too.
shopt -s inherit_errexit

folder="${1:?usage: apply.sh FOLDER [COMMIT APPROVED.json]}"
by_hand="${2:-}"
approved_by_hand="${3:-}"
target="${KEYWRIGHT_TARGET:?}"
project="${KEYWRIGHT_PROJECT:-.}"
branch="${KEYWRIGHT_BRANCH:-main}"
repository="${GITHUB_REPOSITORY:?}"
author="${KEYWRIGHT_AUTHOR:-github-actions[bot]}"
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# How far back a commit may lie that is not applied yet.
far=50
again="run this workflow by hand (Actions, keywright apply, Run workflow): it plans afresh and waits for an approval"
# Split at blanks and nothing else: no quoting, no patterns, no commands.
read -ra flags <<<"${KEYWRIGHT_FLAGS:-}"
mkdir -p "$folder"
folder="$(cd "$folder" && pwd)"

# For a private repository; it stays in this script's environment.
if [[ -n "${GH_TOKEN:-}" ]]; then
    export GIT_CONFIG_COUNT=1
    export GIT_CONFIG_KEY_0="http.${GITHUB_SERVER_URL:-https://github.com}/.extraheader"
    GIT_CONFIG_VALUE_0="AUTHORIZATION: basic $(printf 'x-access-token:%s' "$GH_TOKEN" | base64 | tr -d '\n')"
    export GIT_CONFIG_VALUE_0
fi

end() { # CODE TEXT
    jq -cn --arg target "$target" --arg code "$1" --arg text "$2" \
        '{target: $target, code: ($code | tonumber), text: $text}' >"$folder/result.json"
    if (($1 == 0)); then echo "$2"; else echo "::error::$target: $2"; fi
    exit "$1"
}

status_of() { # COMMIT: applied, begun or nothing
    local states
    states="$(gh api --paginate "repos/$repository/commits/$1/statuses?per_page=100" \
        --jq ".[] | select(.context == \"keywright/$target\" and .creator.login == \"$author\") | .state")"
    if [[ "$states" == *success* ]]; then
        echo applied
    elif [[ "$states" == *pending* || "$states" == *failure* ]]; then
        echo begun
    fi
}

tell() { # COMMIT STATE TEXT
    gh api --silent --method POST "repos/$repository/statuses/$1" --raw-field "state=$2" \
        --raw-field "context=keywright/$target" --raw-field "description=$3" \
        --raw-field "target_url=${GITHUB_SERVER_URL:-https://github.com}/$repository/actions/runs/${GITHUB_RUN_ID:-}"
}

# The pull request that a commit came with, and the commit that it ends with on the branch: the merge, the squashed commit, or
# the last of those that were rebased.
origin_of() { # COMMIT
    local pulls number head end at
    # GitHub is asked once for each: which pull request a commit came with stays so.
    if [[ -f "$folder/origins/$1" ]]; then
        cat "$folder/origins/$1"
        return
    fi
    mkdir -p "$folder/origins"
    pulls="$(gh api "repos/$repository/commits/$1/pulls" --jq ".[]
        | select(.merged_at != null and .merge_commit_sha != null and .base.ref == \"$branch\")
        | [(.number | tostring), .head.sha, .merge_commit_sha, .merged_at] | map(. // \"-\") | join(\"\t\")")"
    while IFS=$'\t' read -r number head end at; do
        if [[ -n "$end" ]] && git merge-base --is-ancestor "$1" "$end" && git merge-base --is-ancestor "$end" "$tip"; then
            echo "$end $number $head $at" | tee "$folder/origins/$1"
            return
        fi
    done <<<"$pulls"
    echo "$1 - - -"
}

check_out() { # COMMIT
    [[ -d "$folder/commits/$1" ]] || git worktree add --quiet --detach "$folder/commits/$1" "$1"
}

# The guards that the approved plan overrides, as flags; each only together with an entry, in a file of the pull request, that
# names its own guard for this target, and no more deletes than secrets are named: a plan cannot bring along what git does not
# say.
overrides_of() { # APPROVED.json BASE COMMIT
    local flag wanted named
    wanted="$(jq -r '.lines[0] | fromjson | .guardOverrides[]' "$1")"
    [[ -n "$wanted" ]] || return 0
    named="$("$here/overrides.sh" "$project" "$2" "$3")" || return 3
    while IFS= read -r flag; do
        if [[ ! "$flag" =~ ^--(allow-[a-z-]+|max-deletes\ [0-9]{1,9}|max-changes-percent\ [0-9]{1,3})$ ]] ||
            ! jq -es --arg flag "$flag" --arg target "$target" '
                ($flag | split(" ")) as $words
                | [.[] | select(.flag == $words[0] and ((.targets // [$target]) | any(. == $target)))] as $named
                | $named != [] and ($words[0] != "--max-deletes"
                    or ($words[1] | tonumber) <= ([$named[].secrets // [] | .[]] | unique | length))
                ' <<<"$named" >/dev/null; then
            echo "::error::the approved plan of $3 overrides a guard that no file of its pull request names: $flag" >&2
            return 3
        fi
        tr ' ' '\n' <<<"$flag"
    done <<<"$wanted"
}

# Plans at a commit, and says whether nothing is in the plan that was not approved.
fits() { # COMMIT APPROVED.json
    local plan="$folder/plan-$1" code=0
    check_out "$1"
    keywright plan --project "$folder/commits/$1/$project" --target "$target" "${flags[@]}" "${overrides[@]}" \
        --out "$plan/fresh.json" >"$plan/fresh.txt" || code=$?
    if ((code != 0 && code != 3 && ${#waiting[@]} == 0)); then
        end "$code" "$1 could not be planned: the log says why, and nothing was applied"
    fi
    ((code == 0)) || return 1
    if [[ -f "$2" ]]; then
        jq -en --slurpfile fresh "$plan/fresh.json" --slurpfile approved "$2" \
            '($fresh[0].lines - $approved[0].lines) == []' >/dev/null
    else
        jq -e '[.lines[] | fromjson | select(has("secret"))] == []' "$plan/fresh.json" >/dev/null
    fi
}

carry_out() { # COMMIT PLAN.json
    local code=0
    tell "$1" pending "being applied"
    keywright apply "$2" --project "$folder/commits/$1/$project" --target "$target" "${flags[@]}" "${overrides[@]}" \
        --journal "$folder/journal.jsonl" || code=$?
    if ((code == 0)) && ! keywright plan --project "$folder/commits/$1/$project" --target "$target" "${flags[@]}" \
        "${overrides[@]}" --detailed-exitcode >"$folder/left.txt"; then
        # What is held back has no part in a plan: without this it would count as applied, and nobody would go on with it.
        cat "$folder/left.txt"
        tell "$1" failure "applied, but for what is held back"
        end 5 "of $1 something is left, since it is held back or changed meanwhile: the log says what. When that is over, $again"
    fi
    case $code in
    0) tell "$1" success "applied" ;;
    4) tell "$1" error "not applied: it is not what was approved" ;;
    5) tell "$1" failure "applied in part" ;;
    *) tell "$1" failure "keywright ended with $code" ;;
    esac
    case $code in
    0) echo "$target: applied $1" ;;
    4) end 4 "nothing was applied of $1, since what would be done is not what was approved: $again" ;;
    5) end 5 "$1 was applied in part: the log says what failed. Repair it, then $again" ;;
    *) end "$code" "keywright ended with $code at $1: the log says why" ;;
    esac
}

# Where the branch is now; as late as can be, before each step.
look() {
    git fetch --quiet origin "refs/heads/$branch"
    tip="$(git rev-parse FETCH_HEAD)"
    readarray -t commits < <(git log --first-parent --max-count "$far" --format=%H "$tip" -- "$project")
    if ((${#commits[@]} == 0)); then
        end 1 "no commit has $project: set KEYWRIGHT_PROJECT to the folder of keywright.yaml"
    fi
}

# Applies the newest commit that fits. `outcome` is what came of it: applied, waits (none fits) or nothing (none is left).
step() {
    local at=0 commit origin end number head merged_at known next base approved words
    waiting=()
    outcome=
    while ((at < ${#commits[@]})); do
        commit="${commits[at]}"
        origin="$(origin_of "$commit")"
        read -r end number head merged_at <<<"$origin"
        # The commits of a rebased pull request are one.
        while ((at += 1, at < ${#commits[@]})); do
            next="$(origin_of "${commits[at]}")"
            [[ "$next" == "$origin" && "$number" != - ]] || break
            commit="${commits[at]}"
        done
        known="$(status_of "$end")"
        [[ "$known" != applied ]] || break
        base="$(git rev-parse --quiet --verify "$commit^1" || git hash-object -t tree /dev/null)"
        approved="$folder/plan-$end/approved.json"
        mkdir -p "$folder/plan-$end"
        if [[ "$number" != - && ! -f "$approved" ]]; then
            "$here/approved.sh" "$number" "$head" "$base" "$merged_at" "$target" "$folder/plan-$end"
        fi
        overrides=()
        if [[ ! -f "$approved" ]] && ((${#waiting[@]} > 0)); then
            # Something newer waits, and nobody approved this one: it cannot go first.
            waiting+=("$end")
            [[ "$known" != begun ]] || break
            continue
        fi
        if [[ -f "$approved" ]]; then
            words="$(overrides_of "$approved" "$base" "$end")" || end 3 "the overrides of $end do not go with its files: see above"
            [[ -z "$words" ]] || readarray -t overrides <<<"$words"
        fi
        if fits "$end" "$approved"; then
            carry_out "$end" "$folder/plan-$end/fresh.json"
            outcome=applied
            return
        fi
        waiting+=("$end")
        # Older ones were applied before this one was begun, or are contained in it.
        [[ "$known" != begun ]] || break
    done
    if ((${#waiting[@]} > 0)); then outcome=waits; else outcome=nothing; fi
}

if [[ -n "$by_hand" ]]; then
    look
    git merge-base --is-ancestor "$by_hand" "$tip" || end 1 "$by_hand is not on $branch: only what was merged is applied"
    expected="$(jq -r --arg target "$target" '.[$target] // ""' <<<"${KEYWRIGHT_FINGERPRINTS:?}")"
    if [[ ! -f "$approved_by_hand" || "$(jq -r .fingerprint "$approved_by_hand")" != "$expected" ]]; then
        end 4 "there is no plan of this target that was shown to the reviewers: $again"
    fi
    for commit in "${commits[@]}"; do
        ! git merge-base --is-ancestor "$commit" "$by_hand" || break
        origin="$(origin_of "$commit")"
        known="$(status_of "${origin%% *}")"
        [[ "$known" != applied ]] || end 4 "$commit is newer than $by_hand and was applied meanwhile: $again"
    done
    readarray -t overrides < <(jq -r '.lines[0] | fromjson | .guardOverrides[] | split(" ")[]' "$approved_by_hand")
    check_out "$by_hand"
    carry_out "$by_hand" "$approved_by_hand"
    # The commit that changed the project last is the one that is looked for.
    last="$(git log --first-parent --max-count 1 --format=%H "$by_hand" -- "$project")"
    origin="$(origin_of "$last")"
    [[ "${origin%% *}" == "$by_hand" ]] || tell "${origin%% *}" success "applied"
fi
while :; do
    look
    step
    case $outcome in
    applied) continue ;;
    nothing) end 0 "everything that was merged is applied" ;;
    esac
    # The difference is the reason: of the newest, and of each that was approved.
    cat "$folder/plan-${waiting[0]}/fresh.txt"
    for commit in "${waiting[@]}"; do
        plan="$folder/plan-$commit"
        [[ -f "$plan/approved.json" || "$commit" == "${waiting[0]}" ]] || continue
        tell "$commit" error "waits: its plan is not what was approved, or a guard refuses it"
        if [[ -f "$plan/approved.json" && -f "$plan/fresh.json" ]]; then
            echo "what was approved of $commit (<), and what would be done now (>):"
            diff <(jq -r '.lines[]' "$plan/approved.json") <(jq -r '.lines[]' "$plan/fresh.json") | grep '^[<>]' || true
        fi
    done
    end 4 "nothing was applied, since what would be done is not what was approved: $again"
done
