//! The parts of a Markdown page that mean something to its test: fenced blocks of code, the commands in them, and
//! the directives of this test, which are comments that no reader sees.
//!
//! | directive | what it does |
//! |---|---|
//! | `<!-- book: file NAME -->` | the next block is the text of this file |
//! | `<!-- book: run COMMANDS -->` | commands that bring about what the page says has happened; each ends with 0 |
//! | `<!-- book: run lines -->` | the lines of the next block (`sh`) are run, each of which ends with 0 |
//! | `<!-- book: copy FOLDER -->` | a folder of the repository is copied to the page's own |
//! | `<!-- book: instead of PROGRAM: COMMAND -->` | for a program that tests cannot count on, in the next block |
//! | `<!-- book: not run: REASON -->` | the next block is looked at only |

/// What stands in a page, in its order.
pub(crate) enum Part {
    /// A fenced block of code.
    Block(Block),
    /// A directive, and the line in which it stands, counted from nought.
    Directive(Directive, usize),
}

/// What a page tells its test.
pub(crate) enum Directive {
    /// The next block is this file.
    File(String),
    /// Commands that no reader sees.
    Run(Vec<String>),
    /// The lines of the next block are run.
    RunLines,
    /// A folder of the repository.
    Copy(String),
    /// A command in the place of those of a program.
    InsteadOf {
        /// The first word of those commands.
        program: String,
        /// What is run.
        command: String,
    },
    /// The next block is not run.
    NotRun,
}

/// A fenced block of code.
pub(crate) struct Block {
    /// The word behind the fence.
    pub(crate) language: String,
    /// Where its first line is in the file, counted from nought.
    pub(crate) at: usize,
    /// What is between the fences, without the blanks before them.
    pub(crate) lines: Vec<String>,
}

/// A command of a block, and what the file says that it prints.
pub(crate) struct Command {
    /// What a reader would type.
    pub(crate) text: String,
    /// Where the first printed line is in the file, counted from nought.
    pub(crate) at: usize,
    /// The printed lines. None of them: they are left out, and only the exit code is looked at.
    pub(crate) printed: Vec<String>,
}

const OPENS: &str = "<!-- book:";

/// Every block and directive of a page.
pub(crate) fn parts(text: &str) -> Result<Vec<Part>, String> {
    let lines: Vec<&str> = text.lines().collect();
    let mut parts: Vec<Part> = Vec::new();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        let indent = line.len() - line.trim_start().len();
        if let Some(language) = line.trim_start().strip_prefix("```") {
            let ends = |line: &&str| line.trim() == "```";
            let length = lines[at + 1..].iter().position(ends).ok_or(format!("line {}: never closed", at + 1))?;
            let inside = &lines[at + 1..at + 1 + length];
            let inside = inside.iter().map(|line| line.get(indent..).unwrap_or_default().to_owned()).collect();
            parts.push(Part::Block(Block { language: language.trim().to_owned(), at: at + 1, lines: inside }));
            at += length + 2;
        } else if let Some(first) = line.strip_prefix(OPENS) {
            let length = lines[at..].iter().position(|line| line.ends_with("-->"));
            let length = length.ok_or(format!("line {}: never closed", at + 1))?;
            let words = [&[first][..], &lines[at + 1..=at + length]].concat().join("\n");
            let words = words.trim_end_matches("-->").trim();
            parts.push(Part::Directive(directive(words).ok_or(format!("line {}: {words}", at + 1))?, at));
            at += length + 1;
        } else {
            at += 1;
        }
    }
    Ok(parts)
}

/// The blocks alone.
pub(crate) fn blocks(text: &str) -> Vec<Block> {
    let parts = parts(text).unwrap_or_default().into_iter();
    parts.filter_map(|part| if let Part::Block(block) = part { Some(block) } else { None }).collect()
}

fn directive(words: &str) -> Option<Directive> {
    if let Some(name) = words.strip_prefix("file ") {
        return Some(Directive::File(name.to_owned()));
    }
    if words == "run lines" {
        return Some(Directive::RunLines);
    }
    if let Some(commands) = words.strip_prefix("run ").or(words.strip_prefix("run\n")) {
        return Some(Directive::Run(commands.lines().map(str::to_owned).collect()));
    }
    if let Some(folder) = words.strip_prefix("copy ") {
        return Some(Directive::Copy(folder.to_owned()));
    }
    if let Some(words) = words.strip_prefix("instead of ") {
        let (program, command) = words.split_once(": ")?;
        return Some(Directive::InsteadOf { program: program.to_owned(), command: command.to_owned() });
    }
    words.strip_prefix("not run: ").filter(|reason| reason.len() > 10).map(|_| Directive::NotRun)
}

impl Block {
    /// Its text.
    pub(crate) fn text(&self) -> String {
        self.lines.iter().fold(String::new(), |text, line| text + line + "\n")
    }

    /// Its commands: the lines behind a `$`, with those that a backslash continues, each followed by what it prints.
    pub(crate) fn commands(&self) -> Result<Vec<Command>, String> {
        let mut commands: Vec<Command> = Vec::new();
        let mut goes_on = false;
        for (at, line) in self.lines.iter().enumerate() {
            if let Some(text) = line.strip_prefix("$ ") {
                commands.push(Command { text: text.to_owned(), at: self.at + at + 1, printed: Vec::new() });
                goes_on = text.ends_with('\\');
                continue;
            }
            let command = commands.last_mut().ok_or(format!("line {}: a console begins with `$ `", self.at + 1))?;
            if goes_on {
                command.text = format!("{}\n{line}", command.text);
                command.at += 1;
                goes_on = line.ends_with('\\');
            } else {
                command.printed.push(line.clone());
            }
        }
        Ok(commands)
    }
}

impl Command {
    /// The exit code that its comment names (`# ends with 2`), else 0.
    pub(crate) fn code(&self) -> i32 {
        let code = self.text.rsplit_once("# ends with ").map(|(_, comment)| comment);
        code.and_then(|comment| comment.split([',', ' ', ':']).next()?.parse().ok()).unwrap_or(0)
    }
}

/// The text between backticks, outside of fenced blocks.
pub(crate) fn code_spans(text: &str) -> Vec<String> {
    prose(text).iter().flat_map(|line| line.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

/// The lines outside of fenced blocks; the others are empty.
pub(crate) fn prose(text: &str) -> Vec<&str> {
    let mut open = false;
    let lines = text.lines().map(|line| {
        let is_fence = line.trim_start().starts_with("```");
        open ^= is_fence;
        if open || is_fence { "" } else { line }
    });
    lines.collect()
}

/// Where code begins that is only indented, counted from nought: four blanks behind an empty line, outside of lists.
pub(crate) fn indented_code(text: &str) -> Option<usize> {
    let lines = prose(text);
    let is_item = |line: &str| line.starts_with(['-', '*']) || line.starts_with(|first: char| first.is_ascii_digit());
    let mut in_list = false;
    for (at, line) in lines.iter().enumerate() {
        if !line.is_empty() && !line.starts_with(' ') {
            in_list = is_item(line);
        }
        if line.starts_with("    ") && !in_list && at > 0 && lines[at - 1].is_empty() {
            return Some(at);
        }
    }
    None
}

/// What this file promises of itself.
pub(crate) fn check() {
    let page = "<!-- book: file a.yaml -->\n```yaml\na: 1\n```\n  ```console\n  $ x \\\n";
    let page = format!("{page}      y # ends with 3, and why\n  out\n  ```");
    let parts = parts(&page).expect("a page");
    let [Part::Directive(Directive::File(name), 0), Part::Block(yaml), Part::Block(console)] = &parts[..] else {
        panic!("{}", parts.len())
    };
    assert_eq!((name.as_str(), yaml.text().as_str(), yaml.at), ("a.yaml", "a: 1\n", 2));
    let commands = console.commands().expect("commands");
    assert_eq!((commands[0].text.as_str(), commands[0].code()), ("x \\\n    y # ends with 3, and why", 3));
    assert_eq!((commands[0].at, &commands[0].printed[..]), (7, &["out".to_owned()][..]));
    for wrong in ["<!-- book: fiel a -->", "<!-- book: not run: so -->", "```sh\nx", "<!-- book: run x\n"] {
        assert!(self::parts(wrong).is_err(), "{wrong}");
    }
    assert_eq!(indented_code("a\n\n    b"), Some(2));
    assert_eq!(indented_code("- a\n\n    b\n\nc\n```\n    d\n```"), None);
    assert_eq!(code_spans("a `b` c\n```\n`d`\n```\n`e`"), ["b", "e"]);
}
