//! The code blocks of a Markdown file, and the commands in them.

/// A fenced block of code.
pub(crate) struct Block {
    /// The word behind the fence.
    pub(crate) language: String,
    /// Where its first line is in the file, counted from nought.
    pub(crate) at: usize,
    /// What is between the fences.
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

/// Every fenced block.
pub(crate) fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open = false;
    for (at, line) in text.lines().enumerate() {
        match line.trim_start().strip_prefix("```") {
            Some(_) if open => open = false,
            Some(language) => {
                open = true;
                blocks.push(Block { language: language.to_owned(), at: at + 1, lines: Vec::new() });
            }
            None if open => blocks.last_mut().expect("an open block").lines.push(line.to_owned()),
            None => {}
        }
    }
    assert!(!open, "a block that is not closed");
    blocks
}

impl Block {
    /// Its text.
    pub(crate) fn text(&self) -> String {
        self.lines.iter().fold(String::new(), |text, line| text + line + "\n")
    }

    /// Whether it holds commands.
    pub(crate) fn is_shell(&self) -> bool {
        matches!(self.language.as_str(), "console" | "sh")
    }

    /// Its commands: of `console` the lines behind a `$`, each followed by what it prints; of `sh` every line.
    pub(crate) fn commands(&self) -> Vec<Command> {
        let mut commands: Vec<Command> = Vec::new();
        for (at, line) in self.lines.iter().enumerate() {
            let typed = if self.language == "sh" { Some(line.as_str()) } else { line.strip_prefix("$ ") };
            if let Some(text) = typed {
                commands.push(Command { text: text.to_owned(), at: self.at + at + 1, printed: Vec::new() });
            } else {
                commands.last_mut().expect("a console block begins with `$ `").printed.push(line.clone());
            }
        }
        commands
    }
}

/// The text between backticks, outside of fenced blocks.
pub(crate) fn code_spans(text: &str) -> Vec<String> {
    let mut spans = Vec::new();
    let mut open = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            open = !open;
        } else if !open {
            spans.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    spans
}
