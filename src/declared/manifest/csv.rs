//! Lists as CSV (RFC 4180): the first row names the columns, and every other row is an item.

use std::collections::HashMap;

use super::codes;
use super::diagnostic::Problem;
use super::items::{Item, MAX_FIELDS, MAX_ITEMS, check_field};
use super::source::Span;

/// Reads a list. `start` is the beginning of its file. Nothing of a row is quoted.
pub(crate) fn items(text: &str, start: Span, problems: &mut Vec<Problem>) -> Vec<Item> {
    let mut rows = Rows { text: text.strip_prefix('\u{feff}').unwrap_or(text), at: 0, line: 1 };
    let header = match rows.next() {
        Some(Ok((_, header))) => header,
        Some(Err(fault)) => {
            problems.push(problem(start, &fault));
            return Vec::new();
        }
        None => {
            let message = "this list has no header: its first row names the columns";
            problems.push(Problem::new(&codes::FOR_EACH, start, message));
            return Vec::new();
        }
    };
    let mut known = HashMap::new();
    for (at, name) in header.iter().enumerate() {
        if let Err(wrong) = check_field(name, start) {
            problems.push(wrong.help_if(other_separator(&header)));
            return Vec::new();
        }
        // Where the header was forgotten, the first row holds what others do: it is not quoted either.
        if let Some(first) = known.insert(name, at) {
            let message = format!("the columns {} and {} have the same name", first + 1, at + 1);
            problems.push(Problem::new(&codes::FOR_EACH, start, message));
            return Vec::new();
        }
    }
    let mut items = Vec::new();
    for row in rows {
        let (line, cells) = match row {
            Ok(row) => row,
            Err(fault) => {
                problems.push(problem(start, &fault));
                break;
            }
        };
        // What a spreadsheet leaves of a row that was cleared.
        if cells.iter().all(String::is_empty) {
            continue;
        }
        if cells.len() != header.len() {
            let fault = Fault { line, what: Wrong::Cells { found: cells.len(), columns: header.len() } };
            problems.push(problem(start, &fault));
            continue;
        }
        if items.len() >= MAX_ITEMS {
            let message = format!("a list has at most {MAX_ITEMS} items");
            problems.push(Problem::new(&codes::FOR_EACH, Span { line, ..start }, message));
            break;
        }
        items.push(Item::of_row(Span { line, ..start }, header.iter().cloned().zip(cells)));
    }
    items
}

/// What is to be said of a header that is one cell, and several where a spreadsheet separates by something else.
fn other_separator(header: &[String]) -> Option<String> {
    let [only] = header else { return None };
    let separator =
        [(';', "a semicolon"), ('\t', "a tab")].into_iter().find(|(separator, _)| only.contains(*separator));
    separator.map(|(_, word)| {
        format!("cells are separated by commas, and {word} stands between these: save the list with commas")
    })
}

struct Fault {
    line: u32,
    what: Wrong,
}

enum Wrong {
    Unclosed,
    AfterQuote,
    TooLong,
    TooMany,
    Cells { found: usize, columns: usize },
}

fn problem(start: Span, fault: &Fault) -> Problem {
    let message = match &fault.what {
        Wrong::Unclosed => "a quoted cell is never closed".to_owned(),
        Wrong::AfterQuote => "something stands behind the quotes of a cell".to_owned(),
        Wrong::TooLong => format!("a cell has at most {MAX_CELL} bytes"),
        Wrong::TooMany => format!("a row has at most {MAX_FIELDS} cells"),
        Wrong::Cells { found, columns } => {
            let (cells, there_are) = (if *found == 1 { "cell" } else { "cells" }, are_columns(*columns));
            format!("this row has {found} {cells}, and {there_are}")
        }
    };
    Problem::new(&codes::FOR_EACH, Span { line: fault.line, ..start }, message)
        .help("a cell with a comma, a quote or a line feed stands in quotes, and a quote in it is written twice")
}

fn are_columns(columns: usize) -> String {
    if columns == 1 { "there is 1 column".to_owned() } else { format!("there are {columns} columns") }
}

/// Longest cell, in bytes.
const MAX_CELL: usize = 4_096;

struct Rows<'a> {
    text: &'a str,
    at: usize,
    line: u32,
}

impl Rows<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Goes over a line's end, if one is here.
    fn line_end(&mut self) -> bool {
        let length =
            if self.rest().starts_with("\r\n") { 2 } else { usize::from(self.rest().starts_with(['\n', '\r'])) };
        self.at += length;
        self.line += u32::from(length > 0);
        length > 0
    }

    fn cell(&mut self) -> Result<String, Wrong> {
        let Some(quoted) = self.rest().strip_prefix('"') else {
            let end = self.rest().find([',', '\n', '\r']).unwrap_or(self.rest().len());
            let cell = self.rest().get(..end).unwrap_or_default().to_owned();
            self.at += end;
            return Ok(cell);
        };
        let mut cell = String::new();
        let (mut rest, mut used) = (quoted, 1);
        loop {
            let end = rest.find('"').ok_or(Wrong::Unclosed)?;
            cell.push_str(rest.get(..end).unwrap_or_default());
            used += end + 1;
            rest = rest.get(end + 1..).unwrap_or_default();
            match rest.strip_prefix('"') {
                Some(after) => {
                    cell.push('"');
                    (rest, used) = (after, used + 1);
                }
                None => break,
            }
        }
        self.line += u32::try_from(cell.matches('\n').count()).unwrap_or_default();
        self.at += used;
        let closed = self.rest().is_empty() || self.rest().starts_with([',', '\n', '\r']);
        if closed { Ok(cell) } else { Err(Wrong::AfterQuote) }
    }
}

impl Iterator for Rows<'_> {
    /// The line that the row begins in, and its cells.
    type Item = Result<(u32, Vec<String>), Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.line_end() {}
        if self.rest().is_empty() {
            return None;
        }
        let line = self.line;
        let mut cells = Vec::new();
        loop {
            // Where a row of millions ends is of no interest.
            if cells.len() == MAX_FIELDS {
                self.at = self.text.len();
                return Some(Err(Fault { line, what: Wrong::TooMany }));
            }
            match self.cell() {
                Ok(cell) if cell.len() > MAX_CELL => return Some(Err(Fault { line, what: Wrong::TooLong })),
                Ok(cell) => cells.push(cell),
                Err(what) => {
                    // Where the next row begins cannot be told.
                    self.at = self.text.len();
                    return Some(Err(Fault { line, what }));
                }
            }
            if !self.rest().starts_with(',') {
                return Some(Ok((line, cells)));
            }
            self.at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<(u32, String)>, Vec<String>) {
        let mut problems = Vec::new();
        let start = Span { line: 1, column: 1, ..Span::default() };
        let items = items(text, start, &mut problems);
        let items = items.iter().map(|item| (item.span.line, item.shown_for_test())).collect();
        (items, problems.into_iter().map(|problem| format!("{}: {}", problem.span.line, problem.message)).collect())
    }

    #[test]
    fn rows_are_items_with_their_lines() {
        let (items, problems) =
            read("\u{feff}name,note\r\nacme,\"a, \"\"b\"\"\"\r\n\r\nbeta,\"two\nlines\"\r\ngamma,\r\n");
        assert_eq!(problems, Vec::<String>::new());
        let expected = [(2, "name=acme note=a, \"b\""), (4, "name=beta note=two\nlines"), (6, "name=gamma note=")];
        assert_eq!(items, expected.map(|(line, item)| (line, item.to_owned())));
    }

    #[test]
    fn a_row_that_was_cleared_is_skipped() {
        let (items, problems) = read("name,owner\na,x\n,\n\"\",\n,,,\nc,\n,,\n");
        assert_eq!(problems, Vec::<String>::new());
        let expected = [(2, "name=a owner=x"), (6, "name=c owner=")];
        assert_eq!(items, expected.map(|(line, item)| (line, item.to_owned())));
    }

    #[test]
    fn another_separator_is_named() {
        let help = |text: &str| {
            let mut problems = Vec::new();
            let _ = items(text, Span { line: 1, column: 1, ..Span::default() }, &mut problems);
            problems.remove(0).help.join("; ")
        };
        assert!(help("name;owner\na;x").contains("a semicolon stands between"), "{}", help("name;owner\na;x"));
        assert!(help("name\towner\na\tx").contains("a tab stands between"));
        assert!(!help("a b,c\nx,y").contains("stands between"));
    }

    #[test]
    fn mistakes_have_their_lines_and_no_text() {
        let wrong = |text: &str| read(text).1;
        assert_eq!(wrong(""), ["1: this list has no header: its first row names the columns"]);
        assert_eq!(
            wrong("a,b\nx\ny,z\n1,2,3\n"),
            ["2: this row has 1 cell, and there are 2 columns", "4: this row has 3 cells, and there are 2 columns"]
        );
        assert_eq!(wrong("a\n\"x"), ["2: a quoted cell is never closed"]);
        assert_eq!(wrong("a\nx\n\"x\"y"), ["3: something stands behind the quotes of a cell"]);
        assert_eq!(wrong("a,a\nx,y"), ["1: the columns 1 and 2 have the same name"]);
        assert_eq!(wrong("a,b c\nx,y"), ["1: this cannot be a field's name"]);
        assert_eq!(wrong("a,index\nx,y"), ["1: `index` is the item's own number"]);
        assert_eq!(wrong(&format!("a\n{}", "x".repeat(5_000))), ["2: a cell has at most 4096 bytes"]);
        let row = |cells: usize| (0..cells).map(|at| format!("c{at}")).collect::<Vec<_>>().join(",");
        assert_eq!(wrong(&format!("{}\n{}", row(64), row(64))), [""; 0]);
        assert_eq!(wrong(&row(65)), ["1: a row has at most 64 cells"]);
        assert_eq!(wrong(&format!("{}\n{}", row(2), row(65))), ["2: a row has at most 64 cells"]);
    }
}
