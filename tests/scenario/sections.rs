//! The text form of a scenario: sections that begin with `--- `.

/// One section.
#[derive(Clone, Debug)]
pub(crate) struct Section {
    /// The header's text, without the dashes.
    pub(crate) title: String,
    /// What the header means.
    pub(crate) header: Header,
    /// The lines below it.
    pub(crate) body: String,
}

/// What a section is for.
#[derive(Clone, Debug)]
pub(crate) enum Header {
    /// The text before the first header: what the scenario is about.
    Story,
    /// `file PATH`: a file of the project.
    File(String),
    /// `file after PATH`: the body is what the file holds now.
    FileAfter(String),
    /// `bytes PATH`: a file whose only line writes its bytes: `\n`, `\r`, `\0`, `\xFF`.
    Bytes(String),
    /// `remove PATH`: the file or folder goes.
    Remove(String),
    /// `move PATH to PATH`: a file or folder gets another name.
    Move { from: String, to: String },
    /// `link PATH to TARGET`: a symbolic link.
    Link { path: String, target: String },
    /// `situation NUMBER: TEXT`: what follows is this line of `SITUATIONS.md`.
    Situation,
    /// `live ACCOUNT REGION`: secrets that exist, made by somebody else.
    Live { account: String, region: String },
    /// `meanwhile ACCOUNT REGION, before OPERATION of SECRET #N`: calls that somebody else makes just then. Without a
    /// secret it is any call of the operation.
    Meanwhile { account: String, region: String, operation: String, secret: String, nth: usize },
    /// `fault OPERATION of SECRET`: the next such call fails.
    Fault { operation: String, secret: String },
    /// `faults`: the body is a fault file, as JSON: `rules`, `profile`, `rotations` (what rotation functions do); `{}`
    /// ends them all.
    Faults,
    /// `later HOURS`: the sandbox's clock goes on by so many hours.
    Later(u64),
    /// `answer TEXT`: somebody sits at the terminal and answers the next question so.
    Answer(String),
    /// `run COMMAND LINE`: the body is what it prints.
    Run(String),
    /// `by hand ACCOUNT REGION`, or with `as WHO`: calls that somebody makes with another tool.
    ByHand { account: String, region: String, caller: Option<String> },
    /// `calls`: the body is how often each operation was called since the last such section.
    Calls,
    /// `writes`: the body is the writing calls since the last such section.
    Writes,
    /// `live after ACCOUNT REGION`: the body is what is live now.
    LiveAfter { account: String, region: String },
    /// `open: REASON`: the scenario does not end with an empty plan.
    Open,
}

/// Takes a scenario apart.
pub(crate) fn parse(text: &str) -> Result<Vec<Section>, String> {
    let mut sections = vec![Section { title: String::new(), header: Header::Story, body: String::new() }];
    for line in text.split_inclusive('\n') {
        if let Some(title) = line.strip_prefix("--- ") {
            let title = title.trim_end().to_owned();
            let header = header(&title).ok_or_else(|| format!("what does `--- {title}` mean?"))?;
            sections.push(Section { title, header, body: String::new() });
        } else if let Some(section) = sections.last_mut() {
            section.body.push_str(line);
        }
    }
    Ok(sections)
}

/// Puts it together again.
pub(crate) fn write(sections: &[Section]) -> String {
    sections
        .iter()
        .map(|section| match section.header {
            Header::Story => section.body.clone(),
            _ => format!("--- {}\n{}", section.title, section.body),
        })
        .collect()
}

fn header(title: &str) -> Option<Header> {
    let (word, rest) = title.split_once(' ').unwrap_or((title, ""));
    let pair = |text: &str| text.split_once(' ').map(|(a, b)| (a.to_owned(), b.to_owned()));
    match word {
        "file" if rest.starts_with("after ") => Some(Header::FileAfter(rest.replacen("after ", "", 1))),
        "file" => Some(Header::File(rest.to_owned())),
        "bytes" => Some(Header::Bytes(rest.to_owned())),
        "remove" => Some(Header::Remove(rest.to_owned())),
        "move" => {
            let (from, to) = rest.split_once(" to ")?;
            Some(Header::Move { from: from.to_owned(), to: to.to_owned() })
        }
        "link" => {
            let (path, target) = rest.split_once(" to ")?;
            Some(Header::Link { path: path.to_owned(), target: target.to_owned() })
        }
        "situation" => {
            rest.split_once(": ").and_then(|(number, _)| number.parse::<u32>().ok()).map(|_| Header::Situation)
        }
        "live" => {
            if let Some(rest) = rest.strip_prefix("after ") {
                let (account, region) = pair(rest)?;
                return Some(Header::LiveAfter { account, region });
            }
            let (account, region) = pair(rest)?;
            Some(Header::Live { account, region })
        }
        "meanwhile" => {
            let (place, moment) = rest.split_once(", before ")?;
            let (account, region) = pair(place)?;
            let (call, nth) = moment.rsplit_once(" #")?;
            let (operation, secret) = call.split_once(" of ").unwrap_or((call, ""));
            Some(Header::Meanwhile {
                account,
                region,
                operation: operation.to_owned(),
                secret: secret.to_owned(),
                nth: nth.parse().ok()?,
            })
        }
        "fault" => {
            let (operation, secret) = rest.split_once(" of ")?;
            Some(Header::Fault { operation: operation.to_owned(), secret: secret.to_owned() })
        }
        "faults" => Some(Header::Faults),
        "later" => Some(Header::Later(rest.strip_suffix("h")?.parse().ok()?)),
        "answer" => Some(Header::Answer(rest.to_owned())),
        "run" => Some(Header::Run(rest.to_owned())),
        "writes" => Some(Header::Writes),
        "calls" => Some(Header::Calls),
        "by" => {
            let rest = rest.strip_prefix("hand ")?;
            let (place, caller) = rest.split_once(" as ").map_or((rest, None), |(place, who)| (place, Some(who)));
            let (account, region) = pair(place)?;
            Some(Header::ByHand { account, region, caller: caller.map(str::to_owned) })
        }
        "open:" => Some(Header::Open),
        _ => None,
    }
}
