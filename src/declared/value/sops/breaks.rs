//! Line breaks that YAML 1.1 knows and YAML 1.2 does not: NEL (U+0085), LS (U+2028) and PS (U+2029).
//!
//! go-yaml, with which SOPS reads and writes, still ends lines at them. LS and PS stay in a scalar as they are, and the
//! indentation behind them is no part of it; NEL counts as a line feed. So a file that has any of them is parsed with
//! line feeds in their places, which gives the structure, and its scalars are taken from the original text by the rules
//! of go-yaml's scanner.

use granit_parser::{ScalarStyle, Span};

const OLD_BREAKS: [char; 3] = ['\u{85}', '\u{2028}', '\u{2029}'];

/// The text with a line feed for each of the old breaks; none when it has none.
pub(super) fn normalised(text: &str) -> Option<String> {
    text.contains(OLD_BREAKS).then(|| text.replace(OLD_BREAKS, "\n"))
}

/// The original text of a normalised one: they have the same number of characters.
pub(super) struct Original(Vec<char>);

impl Original {
    pub(super) fn new(text: &str) -> Self {
        Self(text.chars().collect())
    }

    /// The scalar at this place, when it has one of the breaks that stay in it. `parent` is the column of the
    /// collection that it stands in.
    pub(super) fn scalar(&self, span: Span, style: ScalarStyle, parent: usize) -> Option<String> {
        let mut from = span.start.index();
        if style == ScalarStyle::Literal {
            // The span begins behind the header.
            from = self.0.get(..from)?.iter().rposition(|letter| *letter == '|')?;
        }
        let source = self.0.get(from..span.end.index())?;
        if !source.contains(&'\u{2028}') && !source.contains(&'\u{2029}') {
            return None;
        }
        match style {
            ScalarStyle::Literal => Some(literal(source, parent)),
            // go-yaml writes no other block style, and escapes these breaks between double quotes.
            ScalarStyle::SingleQuoted => {
                let inner = source.get(1..source.len().checked_sub(1)?)?;
                Some(folded(&inner.iter().collect::<String>().replace("''", "'")))
            }
            ScalarStyle::Plain => Some(folded(&source.iter().collect::<String>())),
            _ => None,
        }
    }
}

fn is_break(letter: char) -> bool {
    matches!(letter, '\n' | '\r') || OLD_BREAKS.contains(&letter)
}

/// What a break leaves in a scalar.
fn kept(letter: char) -> char {
    if matches!(letter, '\u{2028}' | '\u{2029}') { letter } else { '\n' }
}

/// A flow scalar: a single line feed is a space, each further one a line feed, and LS and PS stay.
fn folded(text: &str) -> String {
    let mut out = String::new();
    let (mut blanks, mut breaks) = (String::new(), String::new());
    let text = text.replace("\r\n", "\n");
    for letter in text.chars() {
        if is_break(letter) {
            blanks.clear();
            breaks.push(kept(letter));
        } else if matches!(letter, ' ' | '\t') {
            if breaks.is_empty() {
                blanks.push(letter);
            }
        } else {
            join(&mut out, &mut blanks, &mut breaks);
            out.push(letter);
        }
    }
    join(&mut out, &mut blanks, &mut breaks);
    out
}

fn join(out: &mut String, blanks: &mut String, breaks: &mut String) {
    match breaks.strip_prefix('\n') {
        Some("") => out.push(' '),
        Some(more) => out.push_str(more),
        None => out.push_str(breaks),
    }
    out.push_str(blanks);
    blanks.clear();
    breaks.clear();
}

/// A literal block from its `|` on: its lines without their indentation, its last breaks as the header says.
fn literal(source: &[char], parent: usize) -> String {
    let mut lines: Vec<(String, Option<char>)> = Vec::new();
    let mut line = String::new();
    for &letter in source {
        if is_break(letter) {
            lines.push((std::mem::take(&mut line), Some(letter)));
        } else {
            line.push(letter);
        }
    }
    if !line.is_empty() {
        lines.push((line, None));
    }
    if lines.is_empty() {
        return String::new();
    }
    let (header, _) = lines.remove(0);
    let header = header.split('#').next().unwrap_or_default().to_owned();
    let spaces = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let first = || lines.iter().map(|(line, _)| line).find(|line| !line.trim_start_matches(' ').is_empty());
    let indent = header
        .chars()
        .find_map(|letter| letter.to_digit(10))
        .map_or_else(|| first().map_or(0, |line| spaces(line)), |digit| parent + digit as usize);
    let mut out = String::new();
    let mut tail = String::new();
    for (line, ended) in &lines {
        let content = &line[indent.min(spaces(line))..];
        if !content.is_empty() {
            out.push_str(&tail);
            tail.clear();
            out.push_str(content);
        }
        tail.extend(ended.map(kept));
    }
    if header.contains('+') {
        out.push_str(&tail);
    } else if !header.contains('-') {
        out.extend(tail.chars().next());
    }
    out
}
