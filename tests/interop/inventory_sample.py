"""Inventories as `keywright inventory --audit --format json` writes them, of any size, with every kind of value and
with names, tags and messages that want to be more than text.

    python tests/interop/inventory_sample.py 10000 > inventory.json
    python tests/interop/inventory_sample.py 10000 page > inventory.html
"""

from __future__ import annotations

import hashlib
import json
import random
import sys
from collections import defaultdict
from datetime import datetime, timedelta, timezone
from typing import Any

from inventory_page import page

STARTED = datetime(2026, 11, 26, 8, 0, tzinfo=timezone.utc)
TARGETS = [
    ("prod-eu", "111111111111", "eu-west-1"),
    ("prod-us", "111111111111", "us-east-1"),
    ("staging", "222222222222", "eu-west-1"),
    ("shared", "333333333333", "eu-central-1"),
]
TEAMS = "payments checkout identity search mobile data-platform fraud ledger growth core web ops".split()
SYSTEMS = "db api-key oauth smtp webhook stripe redis kafka tls signing".split()

# Each sets a mark, opens a dialog, loads something or hides something where it is taken for more than text.
HOSTILE = [
    "</script><script>globalThis.owned = 1; alert(1)</script>",
    '<img src=x onerror="globalThis.owned = 1; alert(1)">',
    "*?[]{}\\ -- star",
    "\"'><iframe src=javascript:alert(1)>",
    "<!-- <script> --!> ${alert(1)} {{7*7}} `code`",
    "evil\u202egpj.exe\u2066 \u200bzero\ufeff",
    "line\nfeed\r\ttab \x1b[31mred\x00\u2028\u2029",
    '=HYPERLINK("https://example.com","x")',
    "'; rm -rf / #$(touch x)`touch y`",
    "🔑 émoji 漢字 שלום مرحبا",
    "__proto__",
    "x" * 512,
    "<svg onload=alert(1)><style>*{display:none}</style>",
    "-leading-dash",
]


def day(ago: float) -> str:
    return (STARTED - timedelta(days=ago)).strftime("%Y-%m-%dT%H:%M:%SZ")


def midnight(ago: float) -> str:
    return (STARTED - timedelta(days=ago)).strftime("%Y-%m-%dT00:00:00Z")


def finding(kind: str, severity: str, message: str, fix: str, *checks: tuple[str, str]) -> dict[str, Any]:
    named = [{"tool": tool, "id": check} for tool, check in checks]
    return {"kind": kind, "severity": severity, "message": message, "fix": fix, "checks": named}


class Sample:
    """An inventory under way. The same size gives the same document."""

    def __init__(self, size: int, audited: bool = True, live: bool = False) -> None:
        self.random = random.Random(size)
        self.live = live
        self.size = size
        self.audited = audited

    def uuid(self, *of: object) -> str:
        text = hashlib.sha256(repr(of).encode()).hexdigest()
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:32]}"

    def versions(self, name: str, since: float) -> list[dict[str, Any]]:
        labels = [["AWSCURRENT"], ["AWSPREVIOUS"], [], []][: self.random.choice([1, 1, 2, 2, 2, 3, 4])]
        if self.random.random() < 0.02:
            labels.insert(0, ["AWSPENDING", "canary"])
        made = []
        for at, names in enumerate(labels):
            version: dict[str, Any] = {"id": self.uuid(name, at), "labels": names}
            if self.audited:
                version["created"] = day(since + at * self.random.uniform(20, 120))
                if self.random.random() < 0.5:
                    version["lastAccessed"] = midnight(self.random.uniform(0, 90))
            made.append(version)
        return made if self.audited else [version for version in made if version["labels"]]

    def rotation(self) -> dict[str, Any]:
        state = self.random.choices(["off", "on", "overdue", "stuck"], [55, 40, 3, 2])[0]
        if state == "off":
            return {"state": state}
        ahead = {"on": self.random.uniform(-1.9, -120), "overdue": self.random.uniform(3, 40), "stuck": 5.0}[state]
        return {
            "state": state,
            "schedule": self.random.choice(
                ["every 30 days", "every 90 days", "on the first of each month at 04:00 UTC"]
            ),
            "by": "arn:aws:lambda:eu-west-1:111111111111:function:rotate-db",
            **({"last": day(self.random.uniform(1, 60))} if self.random.random() < 0.9 else {}),
            "next": day(ahead),
        }

    def policy(self, account: str) -> dict[str, Any]:
        nothing = {"words": [], "readers": [], "otherAccounts": [], "public": False, "dangling": []}
        if not self.audited:
            return {"state": "not-read", **nothing}
        kind = self.random.choices(
            ["none", "same", "other", "public", "broken", "unread", "not-readable"], [55, 25, 12, 1, 1, 4, 2]
        )[0]
        if kind in ("none", "not-readable"):
            return {"state": kind, **nothing}
        if kind in ("broken", "unread"):
            return {"state": {"broken": "not-json", "unread": "not-read"}[kind], **nothing}
        other = "444444444444" if kind == "other" else account
        reader = "*" if kind == "public" else f"arn:aws:iam::{other}:role/{self.random.choice(TEAMS)}"
        dangling = ["AROAEXAMPLEGONE12345"] if self.random.random() < 0.1 else []
        statement = {
            "Sid": self.random.choice(["Read", HOSTILE[0]]),
            "Effect": "Allow",
            "Principal": {"AWS": [reader, *dangling]},
            "Action": ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"],
            "Resource": "*",
        }
        return {
            "state": "document",
            "words": [
                f"`{reader}` may read the value and describe it",
                *(f"`{gone}` (deleted) may read the value" for gone in dangling),
            ],
            "readers": [reader],
            "otherAccounts": ["444444444444"] if kind == "other" else [],
            "public": kind == "public",
            "dangling": dangling,
            "document": {"Version": "2012-10-17", "Statement": [statement]},
        }

    def findings(self, secret: dict[str, Any]) -> list[dict[str, Any]]:
        found = []
        if secret["policy"]["public"]:
            found.append(
                finding(
                    "public-policy",
                    "high",
                    "its policy lets everybody read the value",
                    "policy:\n  file: policies/own-account.json",
                    ("Prowler", "secretsmanager_not_publicly_accessible"),
                )
            )
        if secret["rotation"]["state"] in ("overdue", "stuck"):
            found.append(
                finding(
                    f"rotation-{secret['rotation']['state']}",
                    "high",
                    "its rotation does not end",
                    f"keywright rotate '{secret['name'][:40]}'",
                    ("Security Hub", "SecretsManager.2"),
                    ("AWS Config", "secretsmanager-scheduled-rotation-success-check"),
                )
            )
        if "lastAccessed" not in secret:
            found.append(
                finding(
                    "never-read",
                    "medium",
                    "its value has never been read",
                    "keywright inventory --select … # then delete it",
                    ("Security Hub", "SecretsManager.3"),
                )
            )
        elif secret["lastAccessed"] < midnight(90):
            found.append(
                finding(
                    "unused",
                    "medium",
                    f"its value was last read on {secret['lastAccessed'][:10]}",
                    "prune: delete",
                    ("Security Hub", "SecretsManager.3"),
                    ("Prowler", "secretsmanager_secret_unused"),
                    ("Powerpipe", "secretsmanager_secret_unused_90_day"),
                )
            )
        if secret.get("valueSince", day(0)) < day(365):
            found.append(
                finding(
                    "old-value",
                    "medium",
                    "its value is older than 365 days",
                    "rotation:\n  every: 90d",
                    ("Security Hub", "SecretsManager.4"),
                )
            )
        if "kmsKeyId" not in secret:
            found.append(
                finding(
                    "default-key",
                    "low",
                    "it is encrypted with the account's default key",
                    "kmsKeyId: alias/secrets",
                    ("AWS Config", "secretsmanager-using-cmk"),
                    ("Checkov", "CKV_AWS_149"),
                    ("cfn_nag", "W77"),
                )
            )
        if not secret["tags"]:
            found.append(
                finding("untagged", "low", "it has no tags", "tags: { team: X }", ("Security Hub", "SecretsManager.5"))
            )
        if self.random.random() < 0.01:
            found.append(finding("unmanaged", "info", self.random.choice(HOSTILE), self.random.choice(HOSTILE)))
        order = ["high", "medium", "low", "info"]
        return sorted(found, key=lambda one: order.index(one["severity"]))

    def name(self, at: int) -> str:
        # The hostile ones come first, spread over the targets. AWS takes no such names, and the page must not care.
        if at < len(HOSTILE) and self.size > 5:
            return f"{HOSTILE[at]}"
        team, system = self.random.choice(TEAMS), self.random.choice(SYSTEMS)
        return f"{self.random.choice(['prod', 'live'])}/{team}/{system}-{at:05d}"

    def secret(self, at: int, target: tuple[str, str, str]) -> dict[str, Any]:
        chance = self.random.random
        name, (target_name, account, region) = self.name(at), target
        team = name.split("/")[1] if "/" in name and at >= len(HOSTILE) else None
        owner = self.random.choices(
            [
                {"kind": "project", "name": f"shop/{target_name}"},
                {"kind": "other-project", "name": "warehouse/prod"},
                {"kind": "cloudformation", "name": "checkout-stack"},
                {"kind": "service", "name": "rds"},
                {"kind": "tag", "name": team or "somebody"},
                {"kind": "nobody"},
            ],
            [60, 8, 8, 6, 8, 10],
        )[0]
        since = self.random.choice(
            [self.random.uniform(0, 90), self.random.uniform(0, 400), self.random.uniform(0, 1600)]
        )
        created = since + self.random.uniform(0, 500)
        tags = {} if chance() < 0.08 else {"stage": "prod", "keywright:project": "shop"}
        if team and tags and chance() < 0.9:
            tags["team"] = team
        if at < len(HOSTILE):
            tags[HOSTILE[at][:100]] = HOSTILE[-at][:250]
        secret: dict[str, Any] = {
            "name": name,
            "arn": f"arn:aws:secretsmanager:{region}:{account}:secret:{name}-{self.uuid(name)[:6]}",
            "inScope": owner["kind"] == "project" or chance() < 0.7,
            "owner": owner,
            **({"team": tags["team"]} if "team" in tags else {}),
            **({"description": f"Credentials of {team or HOSTILE[at]}"} if chance() < 0.8 else {}),
            "tags": tags,
            **(
                {
                    "kmsKeyId": self.random.choice(
                        ["alias/secrets", "arn:aws:kms:eu-west-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab"]
                    )
                }
                if chance() < 0.7
                else {}
            ),
            "created": day(created),
            "changed": day(since),
            **(
                {
                    "lastAccessed": midnight(
                        self.random.choice(
                            [self.random.uniform(0, 10), self.random.uniform(0, 200), self.random.uniform(0, 700)]
                        )
                    )
                }
                if chance() < 0.85
                else {}
            ),
            **({"valueSince": day(since)} if self.audited and chance() < 0.95 else {}),
            "versions": self.versions(name, since),
            "rotation": self.rotation(),
            "replicas": [],
            "hasUnreadReplicas": not self.audited and chance() < 0.1,
            "links": [],
            "policy": self.policy(account),
            "otherPolicies": ["audit-only"] if self.audited and chance() < 0.02 else [],
            "billed": 1,
            "monthlyCents": 40,
            "findings": [],
        }
        if self.audited and chance() < 0.15:
            secret["replicas"] = [
                {"region": "eu-central-1", "status": "InSync"},
                {"region": "us-west-2", "status": "Failed", "message": self.random.choice(HOSTILE)},
            ][: self.random.choice([1, 1, 2])]
            secret["billed"] = 1 + len(secret["replicas"])
            secret["monthlyCents"] = 40 * secret["billed"]
        if self.audited and chance() < 0.03:
            secret["links"] = [
                {
                    "other": "replica",
                    "arn": f"arn:aws:secretsmanager:eu-west-1:444444444444:secret:{name}-AbCdEf",
                    "status": "InProgress",
                    "message": "waits for the other account",
                }
            ]
        if chance() < 0.02:
            secret["replicaOf"] = "eu-west-1"
        if chance() < 0.02:
            secret |= {
                "deletion": {"scheduled": day(3), "restorableUntil": day(-4), "goneBy": day(-27)},
                "billed": 0,
                "monthlyCents": 0,
            }
        if owner["kind"] == "project":
            secret["manifest"] = {"file": f"secrets/{team or 'other'}.yaml", "line": at % 900 + 1, "column": 3}
        if chance() < 0.005:
            secret["error"] = (
                "AccessDeniedException: not authorized to perform secretsmanager:DescribeSecret <b>here</b>"
            )
        if chance() < 0.005:
            secret["secretType"] = "Salesforce"
        secret["findings"] = self.findings(secret)
        if self.live and at % 5 == 0:
            words = {"secret": name, "message": f"description: {HOSTILE[0]}", "hints": ["changed by hand"]}
            secret["drifts"] = [
                {"class": "changed", **words, "help": "`keywright apply` puts it back", "since": day(1)}
            ]
        return secret

    def kinds(self, secrets: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The kinds of the findings, each once with its checks, which stand nowhere else in the document."""
        kinds: dict[str, dict[str, Any]] = {}
        for secret in secrets:
            for found in secret["findings"]:
                meaning = f"A secret is {found['kind']}."
                more = {"meaning": meaning, "findings": 0, "checks": found.pop("checks")}
                kind = kinds.setdefault(found["kind"], {"kind": found["kind"], "severity": found["severity"], **more})
                kind["findings"] += 1
        return list(kinds.values())

    def totals(self, secrets: list[dict[str, Any]]) -> dict[str, Any]:
        unused = [one for one in secrets if any(found["kind"] in ("unused", "never-read") for found in one["findings"])]
        counts: dict[str, int] = {"high": 0, "medium": 0, "low": 0, "info": 0}
        for secret in secrets:
            for found in secret["findings"]:
                counts[found["severity"]] += 1
        return {
            "secrets": len(secrets),
            "billed": sum(one["billed"] for one in secrets),
            "monthlyCents": sum(one["monthlyCents"] for one in secrets),
            "unused": len(unused),
            "unusedYearlyCents": 12 * sum(one["monthlyCents"] for one in unused),
            "findings": counts,
        }

    def grouping(self, by: str, named: list[tuple[str | None, dict[str, Any]]]) -> dict[str, Any]:
        groups: dict[str | None, list[dict[str, Any]]] = defaultdict(list)
        for name, secret in named:
            groups[name].append(secret)
        made = [{"name": name, **self.totals(secrets)} for name, secrets in groups.items()]
        return {"by": by, "groups": sorted(made, key=lambda group: -group["monthlyCents"])}

    def document(self) -> dict[str, Any]:
        held: dict[str, list[dict[str, Any]]] = {name: [] for name, _, _ in TARGETS}
        for at in range(self.size):
            target = TARGETS[at % 3]
            held[target[0]].append(self.secret(at, target))
        targets = [
            {
                "name": name,
                "account": account,
                "region": region,
                "ignored": 2 if name == "staging" else 0,
                "secrets": sorted(held[name], key=lambda one: one["name"]),
            }
            for name, account, region in TARGETS
        ]
        targets[3] |= {"error": "AssumeRole was denied: <script>alert(1)</script>"}
        every = [(target["name"], secret) for target in targets for secret in target["secrets"]]
        return {
            "formatVersion": "1",
            "project": "shop <b>&amp;</b>",
            "started": STARTED.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "seconds": 4.2,
            "calls": {"ListSecrets": self.size // 100 + 3},
            "wholeAccount": True,
            "audited": self.audited,
            "thresholds": {"unusedDays": 90, "valueAgeDays": 365, "rotationDays": 90, "requiredTags": []},
            "kinds": self.kinds([secret for _, secret in every]),
            "totals": self.totals([secret for _, secret in every]),
            "groups": [
                self.grouping("target", every),
                self.grouping("owner", [(secret["owner"]["kind"], secret) for _, secret in every]),
                self.grouping("tag:team", [(secret["tags"].get("team"), secret) for _, secret in every]),
            ],
            "targets": targets,
        }


def sample(size: int, audited: bool = True, live: bool = False) -> dict[str, Any]:
    """A document; a `live` one as `keywright watch` serves it, with what differs from git."""
    return Sample(size, audited, live).document()


if __name__ == "__main__":
    made = sample(int(sys.argv[1]))
    sys.stdout.write(page(made) if sys.argv[2:] == ["page"] else json.dumps(made, indent=2, ensure_ascii=False))
