//! Hostile text made safe to print: the one place for it.
//!
//! Everything live or written by people passes through here on its way out: tags, descriptions, status messages, error
//! texts of AWS, names of files. A value that could move the cursor, reorder the line, or be read as a command by what
//! shows it is turned into visible characters. Secret values never come here at all: they have no text form.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Characters that reorder or hide text: bidirectional controls, zero-width characters, the byte-order mark, tags,
/// variation selectors, line and paragraph separators, and the two codes that are no characters and not allowed in XML.
pub(crate) fn is_deceptive(c: char) -> bool {
    matches!(c,
        '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e0fff}')
}

fn push_escaped(out: &mut String, c: char) {
    match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        c => {
            // Writing to a String cannot fail.
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        }
    }
}

fn replace_where(text: &str, unsafe_char: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&unsafe_char) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if unsafe_char(c) {
            push_escaped(&mut out, c);
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Text on one line of a terminal or a log: control and deceptive characters, line breaks included, become escapes.
pub fn line(text: &str) -> Cow<'_, str> {
    no_command(replace_where(text, |c| c.is_control() || is_deceptive(c)))
}

/// Breaks the old form of a workflow command, `##[command]`, which GitHub's runner finds anywhere in a line of a log.
fn no_command(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.contains("##[") { Cow::Owned(text.replace("##[", "##\\u{5b}")) } else { text }
}

/// Text of several lines: as [`line`], but line feeds stay. Only for text that is indented afterwards, so that no line
/// of it can begin in the first column.
pub fn block(text: &str) -> Cow<'_, str> {
    let text = no_command(replace_where(text, |c| c != '\n' && (c.is_control() || is_deceptive(c))));
    // The runner looks for `::command::` behind spaces too.
    if !text.lines().any(|line| line.trim_start().starts_with("::")) {
        return text;
    }
    let lines = text.split('\n').map(|line| match line.trim_start().strip_prefix("::") {
        Some(rest) => format!("{}\\u{{3a}}:{rest}", &line[..line.len() - line.trim_start().len()]),
        None => line.to_owned(),
    });
    Cow::Owned(lines.collect::<Vec<_>>().join("\n"))
}

/// One line of source as it is quoted in a diagnostic: every dangerous character becomes one `\u{fffd}`, so that
/// columns stay where they are; a tab becomes one space.
pub fn source_line(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\t' => ' ',
            c if c.is_control() || is_deceptive(c) => '\u{fffd}',
            c => c,
        })
        .collect()
}

/// The message of a GitHub workflow command (`::error::MESSAGE`): `%`, CR and LF are encoded as the runner decodes
/// them.
pub fn workflow_message(text: &str) -> String {
    text.lines().map(|text| line(text).replace('%', "%25")).collect::<Vec<_>>().join("%0A")
}

/// A property of a GitHub workflow command (`::error file=PROPERTY::`): as the message, and `:` and `,` too.
pub fn workflow_property(text: &str) -> String {
    line(text).replace('%', "%25").replace(':', "%3A").replace(',', "%2C")
}

/// Text or an attribute's value of HTML, XML or SVG: markup, and characters that XML 1.0 does not allow, cannot be in
/// it.
pub fn markup(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in line(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// A mermaid label between quotation marks. Letters, digits and a few harmless signs stay; everything else becomes
/// mermaid's code for a character (`#34;`), so that neither quotes nor brackets, statements, directives (`%%{init}`),
/// Markdown or HTML can be in it.
pub fn mermaid(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in line(text).chars() {
        if c.is_alphanumeric() || matches!(c, ' ' | '/' | '_' | '.' | '-' | '+' | '=' | '@' | ',' | '!' | '·') {
            out.push(c);
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "#{};", u32::from(c));
        }
    }
    out
}

/// A label of the language DOT between quotation marks: no string can be ended, and neither escape sequences (`\N`) nor
/// the character entities that Graphviz knows are read in it.
pub fn dot(text: &str) -> String {
    line(text).replace('\\', "\\\\").replace('"', "\\\"").replace('&', "&amp;")
}

/// The longest run of backticks in a text.
fn backticks(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or_default()
}

/// A Markdown code span, which nothing within ends early. Mentions, references, links, images and HTML are not read in
/// it.
pub fn code(text: &str) -> String {
    let text = line(text);
    let fence = "`".repeat(backticks(&text) + 1);
    // One space on both sides is taken away again; a span of nothing would be no span.
    let pad = if text.is_empty() || text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// The fence for a Markdown code block of these lines: longer than any run of backticks in them.
pub fn fence(content: &str) -> String {
    "`".repeat(backticks(content).max(2) + 1)
}

/// Text within a paragraph of Markdown: words with anything in them but letters, digits and plain punctuation stand in
/// code spans, where neither Markdown nor HTML nor GitHub's mentions (`@name`), references (`#12`, commit ids) and
/// links are read. Backslashes would not do: GitHub looks for mentions in what Markdown has become.
pub fn markdown(text: &str) -> String {
    let text = line(text);
    let mut out: Vec<String> = Vec::new();
    let mut risky: Vec<&str> = Vec::new();
    for word in text.split(' ') {
        if is_plain_word(word) {
            if !risky.is_empty() {
                out.push(code_within(&std::mem::take(&mut risky).join(" ")));
            }
            out.push(word.to_owned());
        } else {
            risky.push(word);
        }
    }
    if !risky.is_empty() {
        out.push(code_within(&risky.join(" ")));
    }
    out.join(" ")
}

/// A code span of all but the punctuation around it.
fn code_within(text: &str) -> String {
    let inner = text.trim_start_matches('(');
    let before = &text[..text.len() - inner.len()];
    let inner = inner.trim_end_matches(|c| matches!(c, ',' | '.' | ':') || (c == ')' && !before.is_empty()));
    let after = &text[before.len() + inner.len()..];
    format!("{before}{}{after}", code(inner))
}

/// Whether Markdown, and what GitHub makes of it, leaves a word as it is.
fn is_plain_word(word: &str) -> bool {
    let body = word.trim_start_matches('(').trim_end_matches([')', ',', '.', ':', ';']);
    let harmless = body.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '\'' | '→' | '·'));
    let hidden_reference = body.contains('-') && body.contains(|c: char| c.is_ascii_digit());
    let commit = body.len() >= 7 && body.bytes().all(|byte| byte.is_ascii_hexdigit());
    harmless && !hidden_reference && !commit
}

/// Markdown that stands in a cell of a table: bars, in code spans too, do not end it.
pub fn cell(markdown: &str) -> String {
    markdown.replace('|', "\\|")
}

/// The value of a label in Prometheus' text format, between quotation marks.
pub fn prometheus_label(text: &str) -> String {
    line(text).replace('\\', "\\\\").replace('"', "\\\"")
}

/// Text of a Slack message: its marks for links, mentions and commands (`<!channel>`) cannot be in it.
pub fn slack(text: &str) -> String {
    line(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A word within an HTML comment: letters, digits, and hyphens that do not follow each other.
pub fn marker(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let c = if c.is_ascii_alphanumeric() || (c == '-' && !out.ends_with('-')) { c } else { '_' };
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn safe_text_is_borrowed() {
        assert!(matches!(line("staging/payments/db – größer"), Cow::Borrowed(_)));
    }

    #[test]
    fn terminal_control_and_reordering_become_visible() {
        assert_eq!(line("a\u{1b}[2Jb\rc\nd"), "a\\u{1b}[2Jb\\rc\\nd");
        assert_eq!(line("user\u{202e}nimda\u{200b}"), "user\\u{202e}nimda\\u{200b}");
        assert_eq!(line("\u{9b}31m"), "\\u{9b}31m", "C1 controls are controls too");
    }

    #[test]
    fn no_line_of_a_log_is_a_command_of_its_runner() {
        assert_eq!(line("db ##[set-output name=plan]pwned"), "db ##\\u{5b}set-output name=plan]pwned");
        assert_eq!(block("a\n  ::stop-commands::t\n::x"), "a\n  \\u{3a}:stop-commands::t\n\\u{3a}:x");
        assert_eq!(block("kms::key\nb"), "kms::key\nb");
    }

    #[test]
    fn a_block_keeps_its_line_feeds_only() {
        assert_eq!(block("a\nb\r\u{7}"), "a\nb\\r\\u{7}");
    }

    #[test]
    fn a_source_line_keeps_its_columns() {
        assert_eq!(source_line("a\tb\u{1b}c"), "a b\u{fffd}c");
    }

    #[test]
    fn cells_labels_and_messages_end_where_they_should() {
        assert_eq!(cell("`a|b\\|c`"), "`a\\|b\\\\|c`");
        assert_eq!(prometheus_label("a\"b\\c\n"), r#"a\"b\\c\\n"#);
        assert_eq!(slack("<!channel> & <http://x|y>\n"), "&lt;!channel&gt; &amp; &lt;http://x|y&gt;\\n");
    }

    #[test]
    fn workflow_commands_cannot_be_broken_out_of() {
        assert_eq!(workflow_message("100%\n::set-env::"), "100%25%0A::set-env::");
        assert_eq!(workflow_property("a:b,c%\n"), "a%3Ab%2Cc%25\\n");
    }

    #[test]
    fn markup_cannot_be_opened() {
        assert_eq!(markup("<a href=\"x\" b='y'>&amp;"), "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;amp;");
        assert_eq!(markup("\u{0}\u{b}\u{ffff}\u{202e}"), "\\u{0}\\u{b}\\u{ffff}\\u{202e}");
    }

    #[test]
    fn mermaid_labels_hold_codes_only() {
        assert_eq!(mermaid("prod/payments/db-1_a+b=c.d@e"), "prod/payments/db-1_a+b=c.d@e");
        assert_eq!(mermaid("\"]:`"), "#34;#93;#58;#96;");
        assert_eq!(mermaid("%%{init}%%<br/>\n"), "#37;#37;#123;init#125;#37;#37;#60;br/#62;#92;n");
        assert_eq!(mermaid("#60;"), "#35;60#59;", "a code that was there is no code any more");
    }

    #[test]
    fn dot_strings_end_where_they_should() {
        assert_eq!(dot(r#"a"b\N\"#), r#"a\"b\\N\\"#);
        assert_eq!(dot("&lt;\n"), r"&amp;lt;\\n");
    }

    #[test]
    fn code_spans_cannot_be_ended() {
        assert_eq!(code("a"), "`a`");
        assert_eq!(code("a`b``c"), "```a`b``c```");
        assert_eq!(code("`x`"), "`` `x` ``");
        assert_eq!(code(""), "`  `");
        assert_eq!(code("a\n\n# b"), "`a\\n\\n# b`");
        assert_eq!(fence("no fence"), "```");
        assert_eq!(fence("x\n  `````\n"), "``````");
    }

    #[test]
    fn markdown_words_are_plain_or_code() {
        assert_eq!(
            markdown("is live and in scope (last changed), no more"),
            "is live and in scope (last changed), no more"
        );
        assert_eq!(markdown("belongs to payments/prod, it's so"), "belongs to `payments/prod`, it's so");
        for hostile in [
            "@team",
            "#12",
            "GH-12",
            "owner/repo#1",
            "a@b.example",
            "https://x.example",
            "www.x.example",
            "![x](y)",
            "[x](y)",
            "<b>",
            "*x*",
            "_x_",
            "~~x~~",
            "a|b",
            "`x`",
            "&lt;",
            "\\n",
            ":tada:",
            "0123abc",
            "$x$",
            "1e5d3f0",
        ] {
            let word = hostile.trim_end_matches(':');
            let shown = format!("so {}{} is", code(word), &hostile[word.len()..]);
            assert_eq!(markdown(&format!("so {hostile} is")), shown);
        }
        assert_eq!(markdown("see (a/b:1), so"), "see (`a/b:1`), so");
        assert_eq!(markdown("a <b c> d"), "a `<b c>` d", "words side by side share a span");
    }

    #[test]
    fn a_marker_stays_in_its_comment() {
        assert_eq!(marker("payments-2"), "payments-2");
        assert_eq!(marker("x --> <b>"), "x_-____b_");
    }
}
