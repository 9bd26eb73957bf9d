//! What a command talks to: standard output for the artifact, standard error for the talk, standard input for answers.

use std::io::{self, BufRead, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use clap::ValueEnum;
use terminal_size::{Height, Width, terminal_size_of};

use crate::exit_code::ExitCode;
use crate::render::escape::Fragment;
use crate::render::{Artifact, Escaped, Paint, Terminal, escape, escaped};
use crate::sandbox::Sandbox;

/// A path as a shell takes it.
pub(super) fn quoted(path: &std::path::Path) -> String {
    let text = path.display().to_string();
    // Refused is what has a zero byte in it, and no path has.
    shlex::try_quote(&text).map_or_else(|_| String::new(), std::borrow::Cow::into_owned)
}

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// One output stream. Clones write to the same place. Only what is escaped can be written:
///
/// ```
/// use keywright::cli::Output;
/// use keywright::render::escape;
///
/// let out = Output::new(Box::new(std::io::sink()), false);
/// let description = String::from("\u{1b}[2J");
/// out.line(escape::line(&description));
/// out.write(escape::json(&description));
/// ```
///
/// Text as it came does not compile, as a line
///
/// ```compile_fail,E0277
/// let out = keywright::cli::Output::new(Box::new(std::io::sink()), false);
/// let description = String::from("\u{1b}[2J");
/// out.line(&description);
/// ```
///
/// or as a document:
///
/// ```compile_fail,E0277
/// let out = keywright::cli::Output::new(Box::new(std::io::sink()), false);
/// let description = String::from("\u{1b}[2J");
/// out.write(description);
/// ```
///
/// Nor does a line that was made safe for another format:
///
/// ```compile_fail,E0277
/// let out = keywright::cli::Output::new(Box::new(std::io::sink()), false);
/// let description = String::from("\u{1b}[2J");
/// out.line(keywright::render::escape::markup(&description));
/// ```
#[derive(Clone)]
pub struct Output {
    sink: Arc<Mutex<Box<dyn Write + Send>>>,
    failure: Arc<Mutex<Option<io::Error>>>,
    automatic_colour: bool,
    colour: bool,
    columns: Option<usize>,
}

impl Output {
    /// A stream; `colour` is what `--color auto` means for it.
    pub fn new(sink: Box<dyn Write + Send>, colour: bool) -> Self {
        let (sink, failure) = (Arc::new(Mutex::new(sink)), Arc::default());
        Self { sink, failure, automatic_colour: colour, colour, columns: None }
    }

    /// The same on a terminal of so many columns, at which the lines of a text are wrapped; none where it is none.
    #[must_use]
    pub fn within(self, columns: Option<usize>) -> Self {
        Self { columns, ..self }
    }

    /// Whether colour is used.
    pub fn colour(&self) -> bool {
        self.colour
    }

    /// Paint for this stream.
    pub fn paint(&self) -> Paint {
        Paint::new(self.colour).within(self.columns)
    }

    /// Writes a document. A failure is kept, and decides the exit code in the end.
    pub fn write(&self, document: impl Into<Artifact>) {
        let text = document.into();
        let mut sink = self.sink.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = sink.write_all(text.as_bytes()).and_then(|()| sink.flush()) {
            self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        }
    }

    /// Writes a line.
    pub fn line(&self, text: impl Fragment<Terminal>) {
        let line: Escaped<Terminal> = escaped!("{}\n", text);
        self.write(line);
    }
}

/// The streams of one run.
pub struct Shell {
    /// The artifact.
    pub out: Output,
    /// The talk.
    pub err: Output,
    /// Where answers come from; taken by the first question.
    pub input: Mutex<Option<Box<dyn BufRead + Send>>>,
    /// Whether somebody is there to answer.
    pub interactive: bool,
    /// Whether progress bars are drawn.
    pub progress: bool,
    /// The sandbox that `--sandbox` means, instead of a file: tests keep it to look at it afterwards.
    pub sandbox: Option<Sandbox>,
    /// Whether this run has changed something in a target.
    pub wrote: AtomicBool,
}

impl Shell {
    /// The process's own streams.
    pub fn from_process() -> Self {
        let automatic = |stream: anstream::ColorChoice| stream != anstream::ColorChoice::Never;
        let in_ci = std::env::var_os("CI").is_some_and(|ci| !ci.is_empty() && ci != "false");
        let columns = |size: Option<(Width, Height)>| size.map(|(Width(columns), _)| usize::from(columns));
        Self {
            out: Output::new(Box::new(io::stdout()), automatic(anstream::AutoStream::choice(&io::stdout())))
                .within(columns(terminal_size_of(io::stdout()))),
            err: Output::new(Box::new(io::stderr()), automatic(anstream::AutoStream::choice(&io::stderr())))
                .within(columns(terminal_size_of(io::stderr()))),
            input: Mutex::new(Some(Box::new(io::BufReader::new(io::stdin())))),
            interactive: io::stdin().is_terminal() && io::stderr().is_terminal(),
            progress: io::stderr().is_terminal() && !in_ci,
            sandbox: None,
            wrote: AtomicBool::new(false),
        }
    }

    /// Applies `--color`.
    pub fn set_color(&mut self, choice: ColorChoice) {
        for output in [&mut self.out, &mut self.err] {
            output.colour = match choice {
                ColorChoice::Auto => output.automatic_colour,
                ColorChoice::Always => true,
                ColorChoice::Never => false,
            };
        }
    }

    /// Says what went wrong, and what can be done about it, line by line.
    pub(super) fn error(&self, message: &Escaped<Terminal>, hints: &[Escaped<Terminal>]) {
        let paint = self.err.paint();
        self.err.line(escaped!("{}: {}", paint.error("error"), message));
        for hint in hints {
            self.err.line(escaped!("  {}", paint.faint(hint)));
        }
    }

    /// Remembers that this run has changed something in a target: code 1 promises that nothing was.
    pub(super) fn note_written(&self) {
        self.wrote.store(true, Ordering::Relaxed);
    }

    /// The exit code, when the streams are taken into account: a reader that went away (`| head`) is fine, an artifact
    /// that could not be written is an error.
    pub fn finish(&self, code: ExitCode) -> ExitCode {
        let failure = self.out.failure.lock().unwrap_or_else(PoisonError::into_inner);
        match &*failure {
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                let cause = escape::line(&error.to_string());
                self.error(&escaped!("standard output could not be written: {}", cause), &[]);
                let wrote = self.wrote.load(Ordering::Relaxed);
                code.worst(if wrote { ExitCode::Partial } else { ExitCode::Error })
            }
            _ => code,
        }
    }
}
