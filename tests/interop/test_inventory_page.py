"""The page of `keywright inventory --format html` in a real browser: what people do with it, at 10 and 10,000 secrets,
with names, tags and messages that want to be more than text. It loads nothing and runs no script but its own."""

from __future__ import annotations

import csv
import fnmatch
import functools
import http.server
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from inventory_page import page as page_of
from inventory_page import visible
from inventory_sample import HOSTILE, sample

sync_api = pytest.importorskip(
    "playwright.sync_api", reason="playwright is not installed: it has no wheel for this machine"
)

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="there is no Chromium here (on Debian: apt-get install chromium)"
)

# Milliseconds after which something that should have happened has not. Nothing takes this long but on a machine that is
# busy with other things.
PATIENCE = 30_000
ROWS = "#grid tbody tr[data-at]"

Secret = dict[str, Any]


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        # Chromium's own sandbox does not start for root, which containers of CI usually are.
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@functools.cache
def document(size: int) -> dict[str, Any]:
    return sample(size)


class Opened:
    """The page of a document, and everything that must not happen in it."""

    def __init__(self, browser: Any, file: Path, inventory: dict[str, Any], **context: Any) -> None:
        self.inventory = inventory
        self.url = file.as_uri()
        self.context = browser.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True, **context)
        self.context.set_default_timeout(PATIENCE)
        self.wrong: list[str] = []
        self.page = self.tab()

    def tab(self) -> Any:
        page = self.context.new_page()
        page.on("request", lambda request: self.request(request.url))
        page.on("console", lambda message: self.wrong.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (self.wrong.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("popup", lambda popup: self.wrong.append(f"popup: {popup.url}"))
        return page

    def request(self, url: str) -> None:
        if url.split("#")[0] != self.url:
            self.wrong.append(f"request: {url}")

    def go(self, fragment: str = "") -> Opened:
        self.page.goto(self.url + fragment)
        self.page.wait_for_selector("#grid")
        return self

    def finish(self) -> None:
        for page in self.context.pages:
            assert page.evaluate("globalThis.owned") is None
            # What others wrote made no element: these are all that the page has.
            assert (
                page.evaluate("document.querySelectorAll('iframe, img, object, embed, a, form, base, link').length")
                == 0
            )
            assert page.evaluate("document.querySelectorAll('script').length") == 2
        self.context.close()
        assert self.wrong == []

    # What is there.

    @functools.cached_property
    def secrets(self) -> list[tuple[str, Secret]]:
        return [(target["name"], secret) for target in self.inventory["targets"] for secret in target["secrets"]]

    def having(self, test: Callable[[str, Secret], bool]) -> list[Secret]:
        return [secret for target, secret in self.secrets if test(target, secret)]

    # What is shown.

    def expect_count(self, number: int) -> None:
        total = len(self.secrets)
        words = f"{total:,} secrets" if number == total else f"{number:,} of {total:,} secrets"
        sync_api.expect(self.page.locator(".count")).to_have_text(words)
        sync_api.expect(self.page.locator("#grid")).to_have_attribute("aria-rowcount", str(number + 1))

    def column(self, number: int) -> list[str]:
        """The cells of a column (from 1) in the rows that are in the document."""
        return self.page.locator(f"{ROWS} > :nth-child({number})").all_text_contents()

    def search(self, words: str) -> None:
        self.page.locator("#search").fill(words)

    def dropdown(self, name: str) -> Any:
        self.page.locator(".filters").get_by_role("button", name=re.compile(f"^{name}")).click()
        return self.page.locator(".dropdown:visible")

    def filter(self, facet: str, *words: str) -> None:
        shown = self.dropdown(facet)
        for word in words:
            shown.locator("label", has=self.page.get_by_text(word, exact=True)).locator("input").check()
        self.page.keyboard.press("Escape")

    def header(self, name: str) -> Any:
        return self.page.locator("#grid thead th", has_text=re.compile(f"^{name}"))

    def hash(self) -> dict[str, list[str]]:
        self.page.wait_for_timeout(300)
        return parse_qs(urlsplit(self.page.url).fragment, keep_blank_values=True)

    def clipboard(self) -> str:
        return self.page.evaluate("navigator.clipboard.readText()")


@pytest.fixture(params=[10, 10_000])
def opened(request: pytest.FixtureRequest, browser: Any, tmp_path: Path) -> Iterator[Opened]:
    file = tmp_path / "inventory.html"
    file.write_text(page_of(document(request.param)))
    opened = Opened(browser, file, document(request.param)).go()
    yield opened
    opened.finish()


def kinds(secret: Secret) -> set[str]:
    return {finding["kind"] for finding in secret["findings"]}


def searched(secret: Secret) -> str:
    """Everything but the document of the policy, and what mends a finding."""
    policy = {name: value for name, value in secret["policy"].items() if name != "document"}
    findings = [{**finding, "fix": ""} for finding in secret["findings"]]
    return json.dumps({**secret, "policy": policy, "findings": findings})


def test_search_finds_what_is_shown_anywhere(opened: Opened) -> None:
    opened.expect_count(len(opened.secrets))
    for words, test in {
        "CKV_AWS_149": lambda secret: "default-key" in kinds(secret),
        "team=fraud": lambda secret: secret["tags"].get("team") == "fraud",
        "warehouse/prod": lambda secret: secret["owner"].get("name") == "warehouse/prod",
        "1234ABCD-12ab": lambda secret: "1234abcd" in secret.get("kmsKeyId", ""),
        "never been read": lambda secret: "never-read" in kinds(secret),
        '"been never read"': lambda secret: False,
        "onerror=": lambda secret: "onerror=" in searched(secret),
    }.items():
        opened.search(words)
        opened.expect_count(len(opened.having(lambda _, secret: test(secret))))
    sync_api.expect(opened.page.locator(".empty")).to_be_hidden()
    opened.search("nothing is called like this")
    opened.expect_count(0)
    sync_api.expect(opened.page.locator(".empty")).to_have_text("No secret fits the search and the filters.")


def test_every_name_is_shown_as_text(opened: Opened) -> None:
    assert opened.page.title() == f"keywright inventory of {opened.inventory['project']}"
    for name in HOSTILE[: len(opened.secrets)]:
        (row,) = {(target, secret["arn"]) for target, secret in opened.secrets if secret["name"] == name}
        opened.page.goto(opened.url + "#open=" + "".join(f"%{byte:02x}" for byte in " ".join(row).encode()))
        sync_api.expect(opened.page.locator("#panel-title")).to_have_text(visible(name), use_inner_text=False)


def test_columns_sort_both_ways_and_what_is_not_known_is_last(opened: Opened) -> None:
    def expect(header: str, column: int, direction: str, wanted: list[str]) -> None:
        opened.header(header).get_by_role("button").click()
        sync_api.expect(opened.header(header)).to_have_attribute("aria-sort", direction)
        assert opened.column(column)[:10] == wanted[:10]

    names = [
        visible(name[:300])
        for name in sorted((s["name"] for _, s in opened.secrets), key=lambda name: name.lower().encode("utf-16-be"))
    ]
    assert opened.column(1)[:10] == names[:10]
    expect("Name", 1, "descending", names[::-1])
    costs = sorted(secret["monthlyCents"] for _, secret in opened.secrets)
    expect("Cost", 10, "ascending", [f"${cents / 100:.2f}" for cents in costs])
    expect("Cost", 10, "descending", [f"${cents / 100:.2f}" for cents in costs[::-1]])
    # Of findings people want the worst first.
    opened.header("Findings").get_by_role("button").click()
    sync_api.expect(opened.header("Findings")).to_have_attribute("aria-sort", "descending")
    severities = ("high", "medium", "low", "info")
    found = [[finding["severity"] for finding in secret["findings"]] for _, secret in opened.secrets]
    worst = max([those.count(severity) for severity in severities] for those in found)
    badges = (f"{number} {severity}" for number, severity in zip(worst, severities, strict=True) if number)
    assert opened.column(5)[0] == "".join(badges)
    unknown = len(opened.having(lambda _, secret: "lastAccessed" not in secret))
    for direction in ("ascending", "descending"):
        known = sorted(
            (s["lastAccessed"] for _, s in opened.secrets if "lastAccessed" in s), reverse=direction == "ascending"
        )
        opened.header("Last read").get_by_role("button").click()
        sync_api.expect(opened.header("Last read")).to_have_attribute("aria-sort", direction)
        title = opened.page.locator(ROWS).first.locator(":nth-child(7)").get_attribute("title")
        assert title == known[0][:10]
        opened.page.locator("#grid").press("End")
        assert opened.column(7)[-min(unknown, 5) :] == ["–"] * min(unknown, 5)
        opened.page.locator("#grid").press("Home")


def test_filters_hold_together_and_count_what_they_would_show(opened: Opened) -> None:
    page = opened.page
    in_target = opened.having(lambda target, _: target == "prod-eu")
    opened.filter("Target", "prod-eu")
    opened.expect_count(len(in_target))
    shown = opened.dropdown("Owner")
    for word, kind in {"this project": "project", "nobody": "nobody"}.items():
        wanted = sum(secret["owner"]["kind"] == kind for secret in in_target)
        label = shown.locator("label", has=page.get_by_text(word, exact=True))
        assert label.count() == 0 or label.locator(".number").text_content() == f"{wanted:,}"
    page.keyboard.press("Escape")
    opened.filter("Rotation", "off", *(["on"] if len(opened.secrets) > 10 else []))
    states = {"off", "on"} if len(opened.secrets) > 10 else {"off"}
    both = [secret for secret in in_target if secret["rotation"]["state"] in states]
    opened.expect_count(len(both))
    page.get_by_role("button", name="Remove the filter Target: prod-eu").click()
    opened.expect_count(len(opened.having(lambda _, secret: secret["rotation"]["state"] in states)))
    page.get_by_role("button", name=re.compile("^Remove the filter")).first.click()
    if len(states) > 1:
        page.get_by_role("button", name="Remove the filter Rotation: on").click()
    opened.expect_count(len(opened.secrets))


def test_parts_of_charts_are_filters(opened: Opened) -> None:
    page = opened.page
    public = opened.having(lambda _, secret: secret["policy"]["public"])
    page.locator('[data-part="policy:public"]').click()
    opened.expect_count(len(public))
    sync_api.expect(page.locator('[data-part="policy:public"]')).to_have_attribute("aria-pressed", "true")
    sync_api.expect(page.locator('[data-part="policy:public"]')).to_be_focused()
    page.keyboard.press("Enter")
    opened.expect_count(len(opened.secrets))
    page.keyboard.press("ArrowDown")
    page.keyboard.press(" ")
    others = opened.having(lambda _, secret: secret["policy"]["otherAccounts"] and not secret["policy"]["public"])
    opened.expect_count(len(others))
    page.keyboard.press(" ")
    unknown = len(opened.having(lambda _, secret: "valueSince" not in secret))
    page.locator('[data-part="age:"]').click()
    opened.expect_count(unknown)
    page.locator('[data-part="age:"]').click()
    page.locator('[data-part="due:off"]').click()
    opened.expect_count(len(opened.having(lambda _, secret: secret["rotation"]["state"] == "off")))
    # Everything is there as a table as well.
    table = page.get_by_role("table", name="Exposure by policy")
    assert table.locator("tr").count() == 6


def test_panel_has_everything_of_a_secret(opened: Opened) -> None:
    def richness(entry: tuple[str, Secret]) -> int:
        return len(json.dumps(entry[1])) if "lastAccessed" in entry[1] else 0

    target, secret = max(opened.secrets, key=richness)
    opened.page.goto(opened.url + "#open=" + "".join(f"%{byte:02x}" for byte in f"{target} {secret['arn']}".encode()))
    panel = opened.page.locator(".panel")
    sync_api.expect(panel).to_be_visible()
    text = panel.text_content()
    texts = [
        secret["name"],
        secret["arn"],
        secret.get("description", ""),
        secret["created"][:10],
        secret["lastAccessed"][:10],
        *(version["id"] for version in secret["versions"]),
        *(label for version in secret["versions"] for label in version["labels"]),
        *(part for tag in secret["tags"].items() for part in tag),
        *(replica["region"] + replica["status"] + replica.get("message", "") for replica in secret["replicas"]),
        *(link["arn"] + link["status"] for link in secret["links"]),
        *secret["policy"]["readers"],
        *secret["policy"]["dangling"],
        *secret["otherPolicies"],
    ]
    checks = {kind["kind"]: kind["checks"] for kind in opened.inventory["kinds"]}
    for finding in secret["findings"]:
        texts += [finding["kind"], *(part for check in checks[finding["kind"]] for part in check.values())]
    if "manifest" in secret:
        texts.append(f"{secret['manifest']['file']}:{secret['manifest']['line']}:")
    if "document" in secret["policy"]:
        texts.append('"Version": "2012-10-17"')
    for wanted in texts:
        assert visible(wanted) in text
    # Of what mends a finding lines stay lines, and commands lose their backticks.
    for finding in secret["findings"]:
        assert "\n".join(visible(line) for line in finding["fix"].replace("`", "").split("\n")) in text
    assert panel.locator("svg.timeline circle").count() == len(secret["versions"])
    assert panel.get_by_role("img").get_attribute("aria-label").startswith("Versions")
    if "manifest" in secret:
        panel.get_by_role("button", name="Copy the manifest's line").click()
        sync_api.expect(opened.page.locator("#toast")).to_have_text("Copied the manifest's line")


def test_columns_are_chosen_and_all_of_it_is_in_the_link(opened: Opened) -> None:
    page = opened.page
    shown = opened.dropdown("Columns")
    shown.get_by_label("Description").check()
    shown.get_by_label("Team").uncheck()
    page.keyboard.press("Escape")
    heads = [text.split(" ▲")[0] for text in page.locator("#grid thead th").all_text_contents()]
    assert "Description" in heads and "Team" not in heads and heads[0] == "Name"
    opened.filter("Severity", "medium")
    opened.search("prod")
    opened.header("Cost").get_by_role("button").click()
    opened.header("Cost").get_by_role("button").click()
    wanted = opened.hash()
    assert wanted["q"] == ["prod"] and wanted["severity"] == ["medium"] and wanted["sort"] == ["-cost"]
    before = (page.locator(".count").text_content(), page.locator("#grid thead").text_content(), opened.column(1))
    other = opened.tab()
    other.goto(page.url)
    other.wait_for_selector("#grid")
    opened.page, page = other, opened.page
    after = (other.locator(".count").text_content(), other.locator("#grid thead").text_content(), opened.column(1))
    assert after == before
    # The link works in a page that is open already, and nonsense in it is passed over.
    page.goto(opened.url + "#q=onerror&sort=nonsense&columns=name,nonsense,tags&nonsense=1&theme=x")
    sync_api.expect(page.locator("#search")).to_have_value("onerror")
    assert [text.split(" ▲")[0] for text in page.locator("#grid thead th").all_text_contents()] == ["Name", "Tags"]


def matched(globs: list[str], names: set[str]) -> set[str]:
    """The names that the globs fit. What means something in a glob is in a class of its own, but a folder's star."""
    for glob in globs:
        plain = re.sub(r"\[.\]", "", glob)
        assert not re.search(r"[*?\[\]{}\\]", plain.removesuffix("/*")), glob
    return {name for name in names for glob in globs if fnmatch.fnmatchcase(name, glob)}


def flags(text: str) -> tuple[list[str], list[str]]:
    """The targets and the globs that a POSIX shell makes of the flags."""
    done = subprocess.run(["sh", "-c", f"printf '%s\\0' {text}"], capture_output=True, check=True, text=True)
    assert done.stderr == ""
    words = done.stdout.split("\0")[:-1]
    assert words == shlex.split(text)
    joined = [word if word.startswith("--") else f"={word}" for word in words]
    pairs = re.findall(r"--(target|select)=([^\0]*)", "\0".join(joined).replace("\0=", "="))
    return [value for name, value in pairs if name == "target"], [value for name, value in pairs if name == "select"]


def test_select_names_what_is_shown(opened: Opened, tmp_path: Path) -> None:
    page = opened.page
    opened.context.grant_permissions(["clipboard-read", "clipboard-write"])
    in_target = opened.having(lambda target, _: target == "staging")
    writable = {s["name"] for s in in_target if visible(s["name"]) == s["name"]}
    opened.filter("Target", "staging")
    opened.expect_count(len(in_target))
    page.get_by_role("button", name="Copy --select").click()
    if len(in_target) <= 200:
        sync_api.expect(page.locator("#toast")).to_contain_text(f"Copied --select for {len(writable)} name")
        targets, globs = flags(opened.clipboard())
        assert (
            targets == ["staging"]
            and len(globs) == len(writable)
            and matched(globs, {s["name"] for s in in_target}) == writable
        )
        return
    dialog = page.locator("dialog")
    area = dialog.locator("textarea")
    # So many names are no command: globs that fit them and nothing else, or a list.
    targets, globs = flags(area.input_value())
    assert targets == ["staging"] and 0 < len(globs) <= 200
    assert matched(globs, {s["name"] for s in in_target}) == writable
    dialog.get_by_role("button", name="list of names").click()
    assert set(area.input_value().splitlines()) == writable
    with page.expect_download() as download:
        dialog.get_by_role("button", name="Save as a file").click()
    download.value.save_as(tmp_path / "names.txt")
    assert set((tmp_path / "names.txt").read_text().splitlines()) == writable
    opened.wrong = [wrong for wrong in opened.wrong if not wrong.startswith("request: blob:")]
    page.keyboard.press("Escape")
    sync_api.expect(dialog).to_have_count(0)
    # Whole folders are one glob each, and not what holds others too.
    opened.search("/fraud/")
    folders = {s["name"] for s in in_target if "/fraud/" in s["name"]}
    page.get_by_role("button", name="Copy --select").click()
    assert flags(area.input_value()) == (["staging"], ["live/fraud/*", "prod/fraud/*"])
    assert matched(["live/fraud/*", "prod/fraud/*"], {s["name"] for s in in_target}) == folders
    page.keyboard.press("Escape")
    # Fewer: by name. Secrets of the same folder that are not shown are not selected.
    opened.search("team=fraud kafka")
    few = {s["name"] for s in in_target if s["tags"].get("team") == "fraud" and "kafka" in s["name"]}
    assert 0 < len(few) <= 200
    page.get_by_role("button", name="Copy --select").click()
    sync_api.expect(page.locator("#toast")).to_contain_text(f"Copied --select for {len(few)} name")
    targets, globs = flags(opened.clipboard())
    assert targets == ["staging"] and matched(globs, {s["name"] for s in in_target}) == few


def test_copying_works_where_the_clipboard_is_forbidden(opened: Opened) -> None:
    page = opened.page
    page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    opened.filter("Target", "prod-us")
    opened.search(HOSTILE[1])
    page.get_by_role("button", name="Copy CSV").click()
    sync_api.expect(page.locator("#toast")).to_have_text(re.compile(r"^Copied \d+ rows? as CSV$"))
    page.locator("#search").fill("")
    page.locator("#search").press("Control+v")
    assert page.locator("#search").input_value().startswith("Name,Target,Owner")


def test_csv_is_what_is_shown_and_no_formula(opened: Opened) -> None:
    opened.context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened.page.get_by_role("button", name="Copy CSV").click()
    sync_api.expect(opened.page.locator("#toast")).to_have_text(f"Copied {len(opened.secrets):,} rows as CSV")
    rows = list(csv.reader(io.StringIO(opened.clipboard(), newline="")))
    assert len(rows) == len(opened.secrets) + 1 and {len(row) for row in rows} == {10}
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows for cell in row)
    assert "'" + HOSTILE[7] in {row[0] for row in rows}


def test_keys_do_everything(opened: Opened) -> None:
    page, grid, search = opened.page, opened.page.locator("#grid"), opened.page.locator("#search")
    page.keyboard.press("/")
    sync_api.expect(search).to_be_focused()
    page.keyboard.type("prod")
    page.keyboard.press("Escape")
    sync_api.expect(search).to_have_value("")
    page.keyboard.press("ArrowDown")
    sync_api.expect(grid).to_be_focused()

    def active() -> Any:
        return page.locator(f"#{grid.get_attribute('aria-activedescendant')}")

    assert active().get_attribute("aria-rowindex") == "2"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert active().get_attribute("aria-rowindex") == "4" and active().get_attribute("aria-selected") == "true"
    page.keyboard.press("Enter")
    title = page.locator("#panel-title")
    sync_api.expect(title).to_be_focused()
    assert title.text_content() == active().locator("th").text_content()
    page.keyboard.press("Escape")
    sync_api.expect(page.locator(".panel")).to_be_hidden()
    sync_api.expect(grid).to_be_focused()
    page.keyboard.press("End")
    assert active().get_attribute("aria-rowindex") == str(len(opened.secrets) + 1)
    sync_api.expect(active()).to_be_in_viewport()
    # Whatever their number, only rows that can be seen are in the document.
    assert page.locator(ROWS).count() < 60
    page.keyboard.press("PageUp")
    page.keyboard.press("Home")
    sync_api.expect(active()).to_be_in_viewport()
    # The focus can be seen.
    assert active().locator("th").evaluate("cell => getComputedStyle(cell).boxShadow") != "none"
    # Everything that can be done with a pointer can be reached by Tab.
    page.evaluate("document.activeElement.blur()")
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate(
                "document.activeElement.closest('[class],[id]')?.tagName + (document.activeElement.textContent ?? '')"
            )
        )
    for name in ("Copy --select", "Columns", "Print", "Light / dark"):
        assert any(name in one for one in reached), (name, reached)


def test_light_dark_and_narrow(opened: Opened) -> None:
    page = opened.page

    def background() -> str:
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    page.emulate_media(color_scheme="light")
    assert background() == "rgb(255, 255, 255)"
    page.emulate_media(color_scheme="dark")
    assert background() == "rgb(13, 17, 23)"
    page.get_by_role("button", name="Light / dark").click()
    assert background() == "rgb(255, 255, 255)" and opened.hash()["theme"] == ["light"]
    page.emulate_media(reduced_motion="reduce")
    page.set_viewport_size({"width": 390, "height": 844})
    sync_api.expect(page.locator("#grid.compact")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_label("Order").select_option("-cost")
    dearest = max(secret["monthlyCents"] for _, secret in opened.secrets)
    sync_api.expect(page.locator(ROWS).first).to_contain_text(f"${dearest / 100:.2f}")
    page.locator(ROWS).nth(2).click()
    sync_api.expect(page.locator("#panel-title")).to_be_in_viewport()
    assert page.locator(".panel").evaluate("panel => getComputedStyle(panel).animationName") == "none"


def test_print_has_the_rows_and_says_what_is_left_out(opened: Opened) -> None:
    page = opened.page
    opened.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert page.locator(ROWS).count() == min(len(opened.secrets), 2000)
    sync_api.expect(page.locator(".actions")).to_be_hidden()
    if len(opened.secrets) > 2000:
        left = f"{len(opened.secrets) - 2000:,} more rows left out: at most 2,000 are printed."
        sync_api.expect(page.locator("main > .print-only")).to_have_text(left)
    page.emulate_media(media="screen")
    opened.page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator(ROWS).count() < 60
    pdf = page.pdf(prefer_css_page_size=True)
    pages = len(re.findall(rb"/Type\s*/Page\b", pdf))
    assert pdf.startswith(b"%PDF") and (pages > 30 if len(opened.secrets) > 2000 else 0 < pages < 5)


def test_what_was_not_read_is_not_drawn_as_nothing(browser: Any, tmp_path: Path) -> None:
    inventory = sample(60, audited=False)
    (tmp_path / "inventory.html").write_text(page_of(inventory))
    opened = Opened(browser, tmp_path / "inventory.html", inventory).go()
    charts = opened.page.locator(".chart")
    sync_api.expect(charts.nth(0)).to_contain_text("Not known of 60 secrets. Dates of versions are read with --audit.")
    sync_api.expect(charts.nth(4)).to_contain_text("Not read of 60 secrets. Policies are read with --audit.")
    for at in (0, 4):
        sync_api.expect(charts.nth(at).locator("svg")).to_have_count(0)
    opened.page.locator(ROWS).nth(5).click()
    sync_api.expect(opened.page.locator(".panel")).to_contain_text("Dates of versions were not read.")
    opened.finish()


def test_without_script_it_says_what_it_is(browser: Any, tmp_path: Path) -> None:
    (tmp_path / "inventory.html").write_text(page_of(document(10)))
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((tmp_path / "inventory.html").as_uri())
    sync_api.expect(page.locator("body")).to_contain_text("10 secrets in 4 targets, looked at 2026-11-26T08:00:00Z.")
    sync_api.expect(page.locator("body")).to_contain_text("The table is drawn by this page's own script")
    context.close()


class Server(http.server.ThreadingHTTPServer):
    """What `keywright watch` serves: the page, and the newest document."""

    inventory: dict[str, Any] | None = None
    asked: list[str]


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        pages = {
            "/": ("text/html", page_of(document(10), live=True)),
            "/inventory.json": ("application/json", json.dumps(self.server.inventory)),
        }
        kind, text = pages.get(self.path, ("text/plain", ""))
        found = text and (self.path != "/inventory.json" or self.server.inventory)
        self.send_response(200 if found else 503)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        pass


def test_a_live_page_renews_itself_and_keeps_its_state(browser: Any) -> None:
    server = Server(("127.0.0.1", 0), Handler)
    server.asked = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    context = browser.new_context()
    page = context.new_page()
    page.clock.install()
    page.goto(f"http://127.0.0.1:{server.server_port}/#q=prod-eu")
    before = page.locator(".count").text_content()
    assert before.endswith("of 10 secrets") and "live, renewed at" in page.locator(".news").text_content()
    server.inventory = sample(40)
    page.clock.fast_forward(61_000)
    sync_api.expect(page.locator(".count")).to_contain_text("of 40 secrets")
    sync_api.expect(page.locator("#search")).to_have_value("prod-eu")
    # The server is gone: what is shown stays, and the page says that it is not the newest.
    server.inventory = None
    page.clock.fast_forward(61_000)
    sync_api.expect(page.locator(".news")).to_contain_text("not reached; as of")
    sync_api.expect(page.locator(".count")).to_contain_text("of 40 secrets")
    server.inventory = sample(20, live=True)
    page.clock.fast_forward(61_000)
    sync_api.expect(page.locator(".count")).to_contain_text("of 20 secrets")
    # It knows the drift of the last round as well.
    page.locator("#search").fill("")
    page.get_by_role("button", name="Drift").click()
    page.locator(".dropdown:visible label", has_text="changed").locator("input").check()
    sync_api.expect(page.locator(".count")).to_have_text("4 of 20 secrets")
    page.locator(ROWS).first.click()
    sync_api.expect(page.locator(".panel")).to_contain_text("keywright apply puts it back")
    assert set(server.asked) - {"/favicon.ico"} == {"/", "/inventory.json"}
    context.close()
    server.shutdown()
    server.server_close()


# Actions as a person does them. Nothing is asserted of the times.
ACTIONS = {
    "search: one letter": "type('p')",
    "search: a word": "type('payments')",
    "search: two words": "type('payments kafka')",
    "search: clear": "type('')",
    "sort by cost": "click('[data-sort=cost]')",
    "sort by cost, again": "click('[data-sort=cost]')",
    "sort by findings": "click('[data-sort=findings]')",
    "sort by name": "click('[data-sort=name]')",
    "filter by a part of a chart": "click('[data-part=\"age:730\"]')",
    "filter: clear": "click('.chip')",
    "open a list of filters": "click('.drop:nth-child(3) button')",
    "filter in a list": "click('.dropdown input[type=checkbox]')",
    "filter in a list: clear": "click('.dropdown input[type=checkbox]')",
    "open a secret": "click('#grid tbody tr[data-at] td')",
    "next secret": "click('.panel-bar button:nth-child(2)')",
    "scroll by a screen": "scrollBy(0, 900)",
    "scroll to the end": "scrollTo(0, 1e9)",
    "scroll to the middle": "scrollTo(0, 170000)",
    "hide the charts": "click('.actions button:nth-child(3)')",
    "show the charts": "click('.actions button:nth-child(3)')",
    "light and dark": "click('.actions button:nth-child(5)')",
}
MEASURE = """async (action) => {
  const click = (selector) =>
    document.querySelector(selector).dispatchEvent(new MouseEvent("click", { bubbles: true }));
  const type = (text) => {
    const search = document.getElementById("search");
    search.value = text;
    search.dispatchEvent(new Event("input"));
  };
  // Begins right behind a frame, as far from the next one as can be.
  await new Promise((go) => requestAnimationFrame(() => setTimeout(go, 0)));
  const begun = performance.now();
  new Function("click", "type", action)(click, type);
  await new Promise((go) => requestAnimationFrame(() => setTimeout(go, 0)));
  return performance.now() - begun;
}"""


@pytest.mark.parametrize("size", [10_000])
def test_actions_are_timed(browser: Any, tmp_path: Path, size: int) -> None:
    """Prints how long each action takes (`-s` shows it): what the main thread computes for it, which a busy machine
    does not change, and how long it is until the frame is drawn that shows it."""
    file = tmp_path / "inventory.html"
    file.write_text(page_of(sample(size)))
    opened = Opened(browser, file, {"targets": []}, bypass_csp=True).go()
    load = opened.page.evaluate("performance.getEntriesByType('navigation')[0].domInteractive")
    print(f"\n{size:,} secrets; the page is there after {load:.0f} ms")
    opened.page.wait_for_timeout(1500)
    session = opened.context.new_cdp_session(opened.page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def computed() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return 1000 * next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration")

    for name, action in ACTIONS.items():
        before = computed()
        drawn = opened.page.evaluate(MEASURE, action)
        print(f"{name:30} computes {computed() - before:6.1f} ms, is drawn after {drawn:6.1f} ms")
    opened.finish()
