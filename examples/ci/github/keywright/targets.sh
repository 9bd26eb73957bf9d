#!/usr/bin/env bash
# The matrix of targets, from the one place where accounts and roles are: the variable KEYWRIGHT_TARGETS (see targets.json).
#
#   targets.sh [ROLE]     prints all=[...], canary=[...] and rest=[...], for GITHUB_OUTPUT; ROLE is one that each target has
#                         to have, such as inventory
#
# Refuses what could be taken for something else later: names become parts of artifacts and of lines, flags become words.
set -euo pipefail

checked="$(jq -ce --arg needed "${1:-plan}" '
    def check(condition; text): if condition then . else error(text) end;
    check(type == "array" and length > 0 and length <= 256; "is no list of 1 to 256 targets")
    | map(
        check(type == "object"; "holds something that is no object")
        | {canary: false, flags: ""} + . | .drift = (.drift // .plan) | .inventory = (.inventory // "")
        | check((keys - ["account", "apply", "canary", "drift", "flags", "inventory", "plan", "region", "target"]) == [];
            "has a key that is none of account, apply, canary, drift, flags, inventory, plan, region, target")
        | check([.target, .account, .region, .plan, .apply, .drift, .inventory, .flags] | all(type == "string");
            "needs target, account, region, plan and apply in each entry, as texts")
        | check(.target | test("^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"); "has a target with a name that is no single word")
        | check(.account | test("^[0-9]{12}$"); "has an account that is not twelve digits")
        | check(.region | test("^[a-z0-9-]+$"); "has a region that is none")
        | .account as $account
        # An audit with the role of a plan would see less than there is and be green: no other role takes the place of this one.
        | check(.[$needed] != ""; "has no role \($needed) for \(.target): what it needs is printed by keywright iam-policy --for \($needed)"
            + if $needed == "inventory" then " --audit" else "" end)
        | check([.plan, .apply, .drift, (.inventory | select(. != ""))]
            | all(test("^arn:aws[a-z-]*:iam::" + $account + ":role/[A-Za-z0-9/_+=,.@-]+$"));
            "has a role that is no ARN of a role in its own account")
        | check(.canary | type == "boolean"; "has a canary that is neither true nor false")
        | check(.flags | test("^[ -~]*$") and (test("--(sandbox|target|max-deletes|max-changes-percent|allow-(?!env|sops-program))") | not);
            "has flags that name a sandbox, a target or a guard: guards are overridden by a file in the pull request"))
    | check((map(.target | ascii_downcase) | unique | length) == length; "has a target twice")
    ' <<<"${KEYWRIGHT_TARGETS:-null}")" || {
    echo "::error::the variable KEYWRIGHT_TARGETS cannot be used, see the line above" >&2
    exit 1
}
echo "all=$checked"
echo "canary=$(jq -c 'map(select(.canary))' <<<"$checked")"
echo "rest=$(jq -c 'map(select(.canary | not))' <<<"$checked")"
