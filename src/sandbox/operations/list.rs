//! ListSecrets.
//!
//! A page is stale only if the fault profile says so, while the real service may lag by minutes at any time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::describe::SecretMembers;
use super::filter::{self, FilterInput, Filters};
use super::selection::{Order, Selection};
use super::{Context, cut, page_size};
use crate::state::SecretRecord;
use crate::wire::{Constraints, Query, Reply, ServiceError, input, limits};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    include_planned_deletion: Option<bool>,
    max_results: Option<i64>,
    next_token: Option<String>,
    filters: Option<Vec<FilterInput>>,
    sort_order: Option<String>,
    sort_by: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Output<'r> {
    secret_list: Vec<Entry<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Entry<'r> {
    #[serde(flatten)]
    secret: SecretMembers<'r>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    secret_versions_to_stages: BTreeMap<&'r str, Vec<&'r str>>,
}

pub(super) fn list_secrets(context: &Context<'_>, body: &[u8]) -> Result<Reply, ServiceError> {
    let input: Input = input(body)?;
    let mut constraints = Constraints::new();
    constraints.number("maxResults", input.max_results, limits::LIST_PAGE);
    constraints.next_token(input.next_token.as_deref());
    let filters = input.filters.unwrap_or_default();
    filter::check(&mut constraints, &filters);
    constraints.one_of("sortOrder", input.sort_order.as_deref(), &["asc", "desc"]);
    let orders = ["created-date", "last-accessed-date", "last-changed-date", "name"];
    constraints.one_of("sortBy", input.sort_by.as_deref(), &orders);
    constraints.finish()?;
    let lag = context.profile.lag();
    let selection = Selection {
        order: Order::named(input.sort_by.as_deref()),
        descending: input.sort_order.as_deref() == Some("desc"),
        planned_deletion: input.include_planned_deletion.unwrap_or(false),
        filters: Filters::new(&filters)?,
        as_of: (!lag.is_zero()).then(|| context.now.minus(lag)),
    };
    // A token holds for the query that gave it.
    let query = Query::new(&(
        "ListSecrets",
        (&context.caller.account, &context.caller.region),
        input.sort_by.as_deref(),
        selection.descending,
        selection.planned_deletion,
        &filters,
    ));
    let after = input.next_token.map(|token| query.place(&token)).transpose()?;
    let size = page_size(input.max_results, &limits::LIST_PAGE);
    context.read(|reader| {
        let mut page = selection.page(reader, context, after, size + 1)?;
        let next_token = cut(&mut page, size).map(|(place, _)| query.token(place));
        let secret_list = page.iter().map(|(_, record)| Entry::of(record)).collect();
        Reply::json(&Output { secret_list, next_token })
    })
}

impl<'r> Entry<'r> {
    fn of(record: &'r SecretRecord) -> Self {
        Self { secret: SecretMembers::of(record), secret_versions_to_stages: record.labels.by_version() }
    }
}
