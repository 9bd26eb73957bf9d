//! Nothing that others wrote gets through as more than text.

use proptest::prelude::*;

use super::*;

#[test]
fn terminal_control_and_reordering_become_visible() {
    assert_eq!(line("a\u{1b}[2Jb\rc\nd"), "a\\u{1b}[2Jb\\rc\\nd");
    assert_eq!(line("user\u{202e}nimda\u{200b}"), "user\\u{202e}nimda\\u{200b}");
    assert_eq!(line("\u{9b}31m"), "\\u{9b}31m", "C1 controls are controls too");
}

#[test]
fn painted_text_keeps_its_styles_and_no_other_control_sequence() {
    let painted = painted_block("\u{1b}[1m\u{1b}[31merror:\u{1b}[0m unexpected '\u{1b}[2J\u{202e}'\n\u{1b}]0;x\u{7}");
    let shown = "\u{1b}[1m\u{1b}[31merror:\u{1b}[0m unexpected '\\u{1b}[2J\\u{202e}'\n\\u{1b}]0;x\\u{7}";
    assert_eq!(painted, shown);
    assert_eq!(painted_block("\u{1b}[\u{1b}[1m::error::x"), "\\u{1b}[\u{1b}[1m\\u{3a}:error::x");
}

#[test]
fn a_script_keeps_its_tabs_and_line_feeds_only() {
    assert_eq!(script("if x\n\ty\u{1b}[2J\n"), "if x\n\ty\\u{1b}[2J\n");
}

#[test]
fn no_line_of_a_log_is_a_command_of_its_runner() {
    assert_eq!(line("db ##[set-output name=plan]pwned"), "db ##\\u{5b}set-output name=plan]pwned");
    assert_eq!(block("a\n  ::stop-commands::t\n::x"), "a\n  \\u{3a}:stop-commands::t\n\\u{3a}:x");
    assert_eq!(block("kms::key\nb"), "kms::key\nb");
    assert_eq!(line("\u{a0} ::error::x"), "\u{a0} \\u{3a}:error::x");
    assert_eq!(line("##vso[task] ##teamcity[x] # [1] ##x y["), "##vso\\u{5b}task] ##teamcity\\u{5b}x] # [1] ##x y[");
}

#[test]
fn a_quoted_line_of_source_is_no_command() {
    assert_eq!(
        source_line("tags: { k: \"##[set-output name=plan]pwned\" }"),
        "tags: { k: \"##\u{fffd}set-output name=plan]pwned\" }"
    );
    assert_eq!(source_line("  ::error::x"), "  \u{fffd}:error::x");
    assert_eq!(source_line("arn: a::b"), "arn: a::b");
}

#[test]
fn json_reads_as_the_same_text_and_is_no_command() {
    let text = json(&"##[x] \u{202e}");
    assert_eq!(text, "\"##\\u005bx] \\u202e\"\n");
    assert_eq!(serde_json::from_str::<String>(&text).ok().as_deref(), Some("##[x] \u{202e}"));
}

#[test]
fn a_template_holds_fragments_in_order_and_braces() {
    let text: Escaped<Terminal> = escaped!("{{{}}} {}: {}", "a", 7_usize, line("x\n"));
    assert_eq!(text, "{a} 7: x\\n");
    assert_eq!(padded::<Terminal>("größe", 7), "größe  ");
    assert_eq!(decimal::<Terminal>(1.25, 1), "1.2");
}

proptest! {
    /// Pieces that are harmless alone make no command together.
    #[test]
    fn no_command_begins_where_fragments_meet(pieces in prop::collection::vec("[:#\\[a \n]{0,4}", 0..8)) {
        for text in [
            pieces.iter().map(|piece| line(piece)).collect::<Escaped<Terminal>>(),
            pieces.iter().map(|piece| block(piece)).collect(),
            pieces.iter().map(|piece| source_line(piece)).collect(),
        ] {
            for line in text.lines() {
                prop_assert!(!line.trim_start().starts_with("::"), "{text:?}");
                for (at, _) in line.match_indices('[') {
                    prop_assert!(!terminal::calls_runner(&line[..at]), "{text:?}");
                }
            }
        }
    }

    #[test]
    fn a_source_line_keeps_its_characters(text in "\\PC*|[:#\\[ \t]*") {
        prop_assert_eq!(source_line(&text).chars().count(), text.chars().count());
    }
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
    assert_eq!(cell(&Escaped::vouch("`a|b\\|c`")), "`a\\|b\\\\|c`");
    assert_eq!(prometheus_label("a\"b\\c\n"), r#"a\"b\\c\\n"#);
    assert_eq!(slack("<!channel> & <http://x|y>\n"), "&lt;!channel&gt; &amp; &lt;http://x|y&gt;\\n");
}

#[test]
fn workflow_commands_cannot_be_broken_out_of() {
    assert_eq!(workflow_message(&["100%", "::set-env::"]), "100%25%0A::set-env::");
    assert_eq!(workflow_property("a:b,c%\n"), "a%3Ab%2Cc%25\\n");
}

#[test]
fn markup_cannot_be_opened() {
    assert_eq!(markup("<a href=\"x\" b='y'>&amp;"), "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;amp;");
    assert_eq!(markup("\u{0}\u{b}\u{ffff}\u{202e}"), "\\u{0}\\u{b}\\u{ffff}\\u{202e}");
}

#[test]
fn data_cannot_end_its_script_and_reads_as_the_same_text() {
    let hostile = "</script><!-- \u{2028}\u{202e} é\u{7f}🔑\n]]>";
    let mut text = Escaped::default();
    push_data(&mut text, &[hostile]);
    assert!(!text.contains('<') && text.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{text}");
    assert_eq!(serde_json::from_str::<Vec<String>>(&text).ok(), Some(vec![hostile.to_owned()]));
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
    assert_eq!(code_block("", &block("no fence\n")), "```\nno fence\n```\n");
    assert_eq!(code_block("diff", &block("x\n  `````\n")), "``````diff\nx\n  `````\n``````\n");
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
        assert_eq!(markdown(&format!("so {hostile} is")), shown.as_str());
    }
    assert_eq!(markdown("see (a/b:1), so"), "see (`a/b:1`), so");
    assert_eq!(markdown("a <b c> d"), "a `<b c>` d", "words side by side share a span");
}

#[test]
fn a_marker_stays_in_its_comment() {
    assert_eq!(marker("payments-2"), "payments-2");
    assert_eq!(marker("x --> <b>"), "x_-____b_");
}
