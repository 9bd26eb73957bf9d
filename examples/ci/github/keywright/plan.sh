#!/usr/bin/env bash
# Plans one target, and leaves behind what reviewers read and what an apply compares with. GitHub and GitLab both run it.
#
#   plan.sh FOLDER [BASE]     writes FOLDER/plan.md, and FOLDER/approved.json unless there is an error or a guard refuses;
#                             with KEYWRIGHT_FORMAT=html, FOLDER/plan.html
#
# BASE is the commit that the change is made to. A guard that refuses is overridden for this plan alone by a file
# keywright-overrides/NAME.json of the project that differs between BASE and HEAD, so that it is reviewed with the change:
#
#   { "reason": "billing is retired", "overrides": [{ "guard": "max-deletes", "secrets": ["prod/billing/db"] }] }
#
# It has to name every secret that the guard names; "targets": ["prod"] in an entry keeps it to these. The flag, with its
# number, is the one that keywright names. It is a part of the approved plan.
#
# KEYWRIGHT_TARGET is the target, KEYWRIGHT_PROJECT the project's folder, KEYWRIGHT_FLAGS holds more flags.
set -euo pipefail
shopt -s inherit_errexit

folder="${1:?usage: plan.sh FOLDER [BASE]}"
base="${2:-}"
target="${KEYWRIGHT_TARGET:?}"
project="${KEYWRIGHT_PROJECT:-.}"
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# Split at blanks and nothing else: no quoting, no patterns, no commands.
read -ra flags <<<"${KEYWRIGHT_FLAGS:-}"
overrides=()
format="${KEYWRIGHT_FORMAT:-markdown}"
page="$folder/plan.md"
[[ "$format" == markdown ]] || page="$folder/plan.$format"
mkdir -p "$folder"
# Of an earlier run: a plan that is refused now must not leave one behind.
rm -f "$folder/approved.json" "$folder/overridden.json"

plan() {
    keywright plan --project "$project" --target "$target" "${flags[@]}" "${overrides[@]}" "$@"
}

# The guards that would refuse, each with the entries that name it and all of its secrets; fails when one has none.
overridden() {
    jq -ce --arg target "$target" --arg entries "$1" '
        ($entries | split("\n") | map(select(. != "") | fromjson)) as $entries
        | [.targets[].refusals[]] as $refusals
        | [$refusals[] | . as $refusal
            | [$entries[] | select(.guard == $refusal.guard and ((.targets // [$target]) | any(. == $target)))] as $named
            | select(.overriddenBy != null and $named != [] and (.secrets - [$named[].secrets // [] | .[]]) == [])
            | {guard, flag: .overriddenBy, secrets, reasons: [$named[] | {reason, file}]}] as $overridden
        | if ($refusals | length) > 0 and ($overridden | length) == ($refusals | length) then $overridden else empty end' "$2"
}

status=0
plan --format "$format" --out "$folder/approved.json" >"$page" || status=$?
if ((status == 3)) && [[ -n "$base" ]]; then
    named="$("$here/overrides.sh" "$project" "$base" HEAD)"
    refused=0
    plan --format json >"$folder/refused.json" || refused=$?
    if ((refused == 0 || refused == 3)) && overridden "$named" "$folder/refused.json" >"$folder/overridden.json"; then
        readarray -t overrides < <(jq -r '[.[].flag] | unique[] | split(" ")[]' "$folder/overridden.json")
        status=0
        plan --format "$format" --out "$folder/approved.json" >"$page" || status=$?
        # What people wrote stands in code spans, without what could end one.
        jq -r --arg format "$format" '
            def code: gsub("[^ -~]|[`<>&]"; "?") | .[:200] | if $format == "html" then "<code>" + . + "</code>" else "`" + . + "`" end;
            def item: (.guard | code) + " by " + (.flag | code) + ", for "
                + (if .secrets == [] then "the whole plan" else ([.secrets[:50][] | code] | join(", ")) end)
                + (if (.secrets | length) > 50 then " and \((.secrets | length) - 50) more" else "" end)
                + ": " + ([.reasons[] | (.reason | code) + " (" + (.file | code) + ")"] | unique | join(", "));
            if $format == "html" then "<h3>Guards overridden for this plan</h3><ul>", (.[] | "<li>" + item + "</li>"), "</ul>"
            else "\n### Guards overridden for this plan\n", (.[] | "- " + item) end
            ' "$folder/overridden.json" >>"$page"
    else
        rm -f "$folder/overridden.json"
    fi
    rm -f "$folder/refused.json"
fi
if [[ "$format" == html && -f "$folder/approved.json" ]]; then
    jq -r '"<p>The fingerprint of this plan: <code>" + (.fingerprint | @html) + "</code></p>"' "$folder/approved.json" >>"$page"
fi
jq -cn --arg target "$target" --arg code "$status" '{target: $target, code: ($code | tonumber)}' >"$folder/result.json"
if [[ -n "${GITHUB_STEP_SUMMARY:-}" ]]; then
    cat "$page" >>"$GITHUB_STEP_SUMMARY"
fi
case $status in
3) echo "::error::a guard refuses this plan. To override it, add a file keywright-overrides/NAME.json that names the guard and its secrets" ;;
esac
exit "$status"
