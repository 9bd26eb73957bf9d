//! `docs/plan.svg`, the picture of a plan in the README: what `keywright plan` prints with colours, drawn.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::stage::{REPOSITORY, Stage};

/// The file.
const PICTURE: &str = "docs/plan.svg";

const COMMAND: &str = "keywright plan --sandbox --target staging";

/// What a reader has done before: the example is applied, and then changed in git.
const BEFORE: [&str; 2] = ["cd examples/payments", "keywright apply --sandbox --yes --target staging"];

const CHANGE: &str = "\
--- secrets/databases/disputes-mysql.yaml
+++ secrets/databases/disputes-mysql.yaml
@@
-  description: Login of the disputes service (chargebacks and their evidence).
-  tags: { team: disputes, engine: mysql, data-class: restricted }
+  description: Login of the disputes API (chargebacks and their evidence).
+  tags: { team: disputes, engine: mysql, data-class: confidential }
--- secrets/databases/policies/disputes-staging.json
+++ secrets/databases/policies/disputes-staging.json
@@
-          \"arn:aws:iam::111111111111:role/developers\"
+          \"arn:aws:iam::111111111111:role/developers-on-call\"
";

/// A secret that is new.
const NEW: &str = "\
apiVersion: keywright/v1
kind: Secret
metadata: { name: \"${env}/payments/on-call/rota\", targets: [staging] }
spec:
  description: The rota of the week.
  tags: { team: on-call, data-class: internal }
  value: { generate: { length: 32 } }
";

/// Colours of a terminal by their number in SGR, as they look on a dark ground.
const COLOURS: [(u8, &str); 8] = [
    (31, "#ff7b72"),
    (32, "#7ee787"),
    (33, "#e3b341"),
    (34, "#79c0ff"),
    (35, "#d2a8ff"),
    (36, "#76e3ea"),
    (90, "#8b949e"),
    (37, "#e6edf3"),
];

/// How text is set, as far as a plan uses it.
#[derive(Clone, Copy, Default, PartialEq)]
struct Look {
    colour: Option<&'static str>,
    bold: bool,
    faint: bool,
}

impl Look {
    /// The look behind an escape sequence `ESC [ codes m`.
    fn after(self, codes: &str) -> Self {
        let each = codes.split(';').map(|code| code.parse().unwrap_or(0_u8));
        each.fold(self, |look, code| match code {
            0 => Self::default(),
            1 => Self { bold: true, ..look },
            2 => Self { faint: true, ..look },
            22 => Self { bold: false, faint: false, ..look },
            39 => Self { colour: None, ..look },
            // The bright ones are drawn as the others.
            91..=97 => Self { colour: named(code - 60), ..look },
            code => Self { colour: named(code).or(look.colour), ..look },
        })
    }
}

fn named(code: u8) -> Option<&'static str> {
    COLOURS.iter().find(|(known, _)| *known == code).map(|(_, colour)| *colour)
}

/// A line in parts of one look each.
fn spans(line: &str, mut look: Look) -> (Vec<(Look, String)>, Look) {
    let mut spans = Vec::new();
    for (at, part) in line.split("\u{1b}[").enumerate() {
        let text = if at == 0 {
            part
        } else {
            let (codes, text) = part.split_once('m').expect("a sequence that sets the look of text");
            look = look.after(codes);
            text
        };
        if !text.is_empty() {
            spans.push((look, text.to_owned()));
        }
    }
    (spans, look)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The picture: a dark window with the lines in it.
fn draw(lines: &[String]) -> String {
    let plain = |line: &String| spans(line, Look::default()).0.iter().map(|(_, text)| text.chars().count()).sum();
    let columns: usize = lines.iter().map(plain).max().unwrap_or(0);
    // 8.1 for each column of 13.5 pixels, 20 for each line; whole numbers, so that nothing depends on rounding.
    let (width, height) = (columns * 81 / 10 + 48, lines.len() * 20 + 68);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" role=\"img\" aria-label=\"What keywright plan prints\">\n\
         <rect width=\"{width}\" height=\"{height}\" rx=\"8\" fill=\"#0d1117\"/>\n"
    );
    for (at, colour) in ["#ff5f57", "#febc2e", "#28c840"].iter().enumerate() {
        writeln!(svg, "<circle cx=\"{}\" cy=\"20\" r=\"5\" fill=\"{colour}\"/>", 22 + at * 18).expect("a String");
    }
    svg += "<g font-family=\"ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace\" \
            font-size=\"13.5\" fill=\"#e6edf3\">\n";
    let mut look = Look::default();
    for (at, line) in lines.iter().enumerate() {
        let (parts, after) = spans(line, look);
        look = after;
        write!(svg, "<text x=\"24\" y=\"{}\" xml:space=\"preserve\">", 56 + at * 20).expect("a String");
        for (look, text) in parts {
            let colour = look.colour.map(|colour| format!(" fill=\"{colour}\"")).unwrap_or_default();
            let bold = if look.bold { " font-weight=\"bold\"" } else { "" };
            let faint = if look.faint { " opacity=\"0.7\"" } else { "" };
            write!(svg, "<tspan{colour}{bold}{faint}>{}</tspan>", escaped(&text)).expect("a String");
        }
        svg += "</text>\n";
    }
    svg + "</g>\n</svg>\n"
}

/// Runs the command, and compares; with `KEYWRIGHT_BLESS=1` it writes the picture.
pub(crate) fn is_what_a_plan_looks_like() -> Result<(), String> {
    let stage = Stage::new();
    stage.copy("examples/payments");
    for line in BEFORE {
        let ended = stage.run(line);
        assert_eq!(ended.code, 0, "{line}\n{}", ended.printed.join("\n"));
    }
    stage.change(CHANGE)?;
    stage.write("secrets/on-call/rota.yaml", NEW);
    let ended = stage.run(&format!("{COMMAND} --color always"));
    assert_eq!(ended.code, 0, "{}", ended.printed.join("\n"));
    // What waits for a value is said below; a picture has room for the changes.
    let changes = ended.printed.iter().take_while(|line| !line.contains("wait for a value from people"));
    let mut lines = vec![format!("\u{1b}[90m$\u{1b}[0m {COMMAND}")];
    lines.extend(changes.cloned());
    while lines.last().is_some_and(|line| line.trim().is_empty()) {
        lines.pop();
    }
    let picture = draw(&lines);
    let path = Path::new(REPOSITORY).join(PICTURE);
    if std::env::var_os("KEYWRIGHT_BLESS").is_some() {
        fs::write(&path, &picture).expect("the picture can be written");
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    if kept == picture { Ok(()) } else { Err(format!("{PICTURE} is stale: KEYWRIGHT_BLESS=1 cargo test --test book")) }
}
