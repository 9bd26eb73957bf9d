//! The walk of one prefix, in parts where that helps.
//!
//! What comes back is checked, and not believed: no part may list a name that its filter excludes, everything that was
//! listed before a split must come again, and one name that is there for certain comes only where the service takes
//! several values and negation as documented. Otherwise the walk goes on plainly, from where it was split.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt;
use futures::stream::FuturesUnordered;

use super::super::reader::{ListFilter, ListPage, ReadProgress, ReadSecrets};
use super::super::{LiveSecret, Pages, ServiceError, ServiceErrorKind};
use super::Listing;
use super::cover::{self, Cover, Part, Piece};
use crate::domain::SecretName;

/// A prefix that is expected to have so many pages is split.
const WORTH_A_SPLIT: usize = 6;

/// A walk that has so many pages, and twice as many as were expected, is split by what it has shown.
const PATIENCE: usize = 8;

/// A part of such a split waits so many times longer before it is split again: what it showed first was not typical.
const MORE_PATIENCE: usize = 4;

/// Nothing is split while so many walks are under way: the quota sets the pace then.
const BUSY: usize = 8;

/// What a walk came to.
pub(super) struct Walked {
    pub(super) secrets: BTreeMap<SecretName, LiveSecret>,
    /// Whether it was split, and the parts' answer counts.
    pub(super) in_parts: bool,
}

/// Lists everything that begins with `prefix`.
pub(super) async fn walk<R: ReadSecrets>(
    listing: &Listing<'_, R>,
    prefix: &str,
    known: &BTreeSet<&str>,
) -> Result<Walked, ServiceError> {
    let known = known.range(prefix..).take_while(|name| name.starts_with(prefix)).copied().collect();
    let mut walk = Walk {
        listing,
        known,
        found: BTreeMap::new(),
        open: BTreeMap::new(),
        split: BTreeSet::new(),
        next: ROOT,
        page_size: 1,
        pages: 0,
        may_split: cover::can_be_sent(prefix),
        plain: Plain { filter: ListFilter::prefix(prefix), ..Plain::default() },
    };
    walk.run(Piece::whole(prefix)).await
}

/// The number of the walk over everything.
const ROOT: usize = 0;

struct Walk<'a, R> {
    listing: &'a Listing<'a, R>,
    known: BTreeSet<&'a str>,
    /// Each with the number of the walk that listed it last.
    found: BTreeMap<SecretName, (LiveSecret, usize)>,
    open: BTreeMap<usize, Open>,
    /// Walks that gave way to others.
    split: BTreeSet<usize>,
    next: usize,
    /// The most secrets that were on one page.
    page_size: usize,
    pages: usize,
    may_split: bool,
    plain: Plain,
}

/// One walk that goes on.
struct Open {
    part: Part,
    filter: ListFilter,
    pages: Pages,
    read: usize,
    patience: usize,
}

/// Where the plain walk stands.
#[derive(Default)]
struct Plain {
    filter: ListFilter,
    listed: BTreeSet<SecretName>,
    token: Option<String>,
}

/// One call.
enum Call {
    Page(usize, ListFilter, Option<String>),
    /// DescribeSecret of a name that lies between the parts.
    Exact(SecretName),
}

enum Answer {
    Page(usize, Result<ListPage, ServiceError>),
    Exact(SecretName, Result<Option<Box<LiveSecret>>, ServiceError>),
}

/// What follows from a page.
enum Next {
    Calls(Vec<Call>),
    /// The service does not do as documented.
    Plainly,
}

impl<R: ReadSecrets> Walk<'_, R> {
    async fn run(&mut self, root: Piece) -> Result<Walked, ServiceError> {
        let listing = self.listing;
        let make = async |call: Call| match call {
            Call::Page(walk, filter, token) => Answer::Page(walk, listing.page(&filter, token).await),
            Call::Exact(name) => {
                let described = listing.reader.describe(&name).await;
                Answer::Exact(name, described.map(|secret| secret.map(Box::new)))
            }
        };
        let mut calls = FuturesUnordered::new();
        calls.push(make(self.begin(Part::of(root), PATIENCE)));
        while let Some(answer) = calls.next().await {
            let next = match answer {
                Answer::Page(walk, Ok(page)) => self.page(walk, page)?,
                Answer::Page(walk, Err(error)) if walk == ROOT || !may_be_about_filters(&error) => return Err(error),
                Answer::Page(_, Err(error)) => {
                    tracing::debug!(%error, "a list cannot be walked in parts");
                    Next::Plainly
                }
                Answer::Exact(name, described) => self.exact(name, described),
            };
            match next {
                Next::Calls(next) => next.into_iter().for_each(|call| calls.push(make(call))),
                Next::Plainly => {
                    drop(calls);
                    return self.plainly().await;
                }
            }
        }
        drop(calls);
        if self.found.values().any(|(_, walk)| self.split.contains(walk)) {
            tracing::debug!("parts of a list lack what the list had");
            return self.plainly().await;
        }
        let secrets = std::mem::take(&mut self.found).into_iter().map(|(name, (secret, _))| (name, secret));
        Ok(Walked { secrets: secrets.collect(), in_parts: !self.split.is_empty() })
    }

    /// Begins a walk: its first call.
    fn begin(&mut self, part: Part, patience: usize) -> Call {
        let walk = self.next;
        self.next += 1;
        let filter = if walk == ROOT { self.plain.filter.clone() } else { part.filter() };
        let call = Call::Page(walk, filter.clone(), None);
        self.open.insert(walk, Open { part, filter, pages: Pages::of("ListSecrets"), read: 0, patience });
        call
    }

    /// Takes a page of a walk.
    fn page(&mut self, walk: usize, page: ListPage) -> Result<Next, ServiceError> {
        let Some(open) = self.open.get_mut(&walk) else { return Ok(Next::Calls(Vec::new())) };
        self.pages += 1;
        open.read += 1;
        self.page_size = self.page_size.max(page.secrets.len());
        let before = self.found.len();
        for secret in page.secrets {
            let name = secret.name.as_str();
            if !open.part.contains(name) || !cover::can_be_sent(name) {
                if walk != ROOT {
                    tracing::debug!("a part of a list has what its filter excludes");
                    return Ok(Next::Plainly);
                }
                self.may_split = false;
            }
            if walk == ROOT {
                self.plain.listed.insert(secret.name.clone());
            }
            self.found.insert(secret.name.clone(), (secret, walk));
        }
        (self.listing.progress)(ReadProgress::Listed(self.found.len() - before));
        let token = match open.pages.next(page.next_token) {
            Ok(token) => token,
            Err(error) if walk == ROOT => return Err(error),
            Err(_) => return Ok(Next::Plainly),
        };
        if walk == ROOT {
            self.plain.token.clone_from(&token);
        }
        Pages::bound("ListSecrets", self.pages)?;
        let Some(token) = token else {
            self.open.remove(&walk);
            return Ok(Next::Calls(Vec::new()));
        };
        Ok(Next::Calls(match self.split(walk) {
            Some(calls) => calls,
            None => self
                .open
                .get(&walk)
                .map(|open| Call::Page(walk, open.filter.clone(), Some(token)))
                .into_iter()
                .collect(),
        }))
    }

    /// Splits a walk that goes on, when that is worth it.
    fn split(&mut self, walk: usize) -> Option<Vec<Call>> {
        let open = self.open.get_mut(&walk).filter(|_| self.may_split)?;
        let pages_of = |names: usize| names / self.page_size;
        let first = walk == ROOT && open.read == 1;
        let is_long = open.read >= open.patience && open.read >= 2 * pages_of(open.part.weight()) + 2;
        if !(first || is_long) || self.open.len() > BUSY {
            return None;
        }
        let open = self.open.get_mut(&walk)?;
        let listed = self.found.iter().filter(|(_, (_, by))| *by == walk).map(|(name, _)| name.as_str());
        let listed: Vec<&str> = listed.collect();
        let sure = *listed.first()?;
        let known = self.known.iter().copied().filter(|name| open.part.contains(name));
        let names: BTreeSet<&str> = known.chain(listed).collect();
        let expected = if first { pages_of(names.len()) } else { pages_of(names.len()).max(2 * open.read) };
        let cover = (expected >= WORTH_A_SPLIT).then(|| cover::split(&open.part.pieces, &names, sure, expected));
        let Some(Cover { parts, exact }) = cover.flatten() else {
            if first {
                // How long it should be, when it turns out longer.
                open.part.expect(names.len());
            } else {
                open.patience *= MORE_PATIENCE;
            }
            return None;
        };
        let patience = if first { PATIENCE } else { open.patience * MORE_PATIENCE };
        self.open.remove(&walk);
        self.split.insert(walk);
        let mut calls: Vec<Call> = exact.into_iter().map(|name| Call::Exact(SecretName::new(name))).collect();
        calls.extend(parts.into_iter().map(|part| self.begin(part, patience)));
        Some(calls)
    }

    /// Takes a secret that lies between the parts.
    fn exact(&mut self, name: SecretName, described: Result<Option<Box<LiveSecret>>, ServiceError>) -> Next {
        match described {
            Ok(None) => {}
            Ok(Some(secret)) if secret.name == name => {
                (self.listing.found)(&secret);
                // Its number is that of no walk that was split.
                self.found.insert(name, (*secret, usize::MAX));
            }
            Ok(Some(_)) | Err(_) => return Next::Plainly,
        }
        Next::Calls(Vec::new())
    }

    /// Goes on one page after the other from where the list was split, with what was listed until then.
    async fn plainly(&mut self) -> Result<Walked, ServiceError> {
        let Plain { filter, listed, token } = std::mem::take(&mut self.plain);
        let mut secrets: BTreeMap<SecretName, LiveSecret> = std::mem::take(&mut self.found)
            .into_iter()
            .filter(|(name, _)| listed.contains(name))
            .map(|(name, (secret, _))| (name, secret))
            .collect();
        let (mut token, mut pages) = (token, Pages::of("ListSecrets"));
        while token.is_some() {
            let page = self.listing.page(&filter, token).await?;
            let before = secrets.len();
            secrets.extend(page.secrets.into_iter().map(|secret| (secret.name.clone(), secret)));
            (self.listing.progress)(ReadProgress::Listed(secrets.len() - before));
            token = pages.next(page.next_token)?;
        }
        Ok(Walked { secrets, in_parts: false })
    }
}

/// Whether a call may have failed for its filters, and not for what would meet every other call too.
fn may_be_about_filters(error: &ServiceError) -> bool {
    !matches!(
        error.kind,
        ServiceErrorKind::AccessDenied | ServiceErrorKind::Credentials | ServiceErrorKind::Unreachable
    )
}
