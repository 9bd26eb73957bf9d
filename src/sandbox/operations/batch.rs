//! BatchGetSecretValue.

use serde::{Deserialize, Serialize};

use super::filter::{self, FilterInput, Filters};
use super::get_value::{ReadValue, ValueMembers, note_accesses};
use super::selection::{Order, Selection};
use super::{Context, cut, page_size};
use crate::state::{Found, Reader, SecretId};
use crate::wire::{Constraints, ErrorCode, Query, Reply, ServiceError, input, limits};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    secret_id_list: Option<Vec<String>>,
    filters: Option<Vec<FilterInput>>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Output<'a> {
    secret_values: Vec<ValueMembers<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
    errors: Vec<Failure>,
}

/// A secret whose value could not be had: the error that GetSecretValue gives for it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Failure {
    secret_id: String,
    error_code: String,
    message: String,
}

/// The current values of a list of secrets, or of those that filters let through.
///
/// No answer of the real service was seen for this operation. Its documentation says what is done here: one secret's
/// error does not fail the others. Secrets scheduled for deletion are not among those that filters find.
pub(super) fn batch_get_secret_value(context: &Context<'_>, body: &[u8]) -> Result<Reply, ServiceError> {
    let input: Input = input(body)?;
    let mut constraints = Constraints::new();
    constraints.count("secretIdList", input.secret_id_list.as_deref(), limits::BATCH_SECRET_IDS);
    for (index, id) in input.secret_id_list.iter().flatten().enumerate() {
        constraints.text(&format!("secretIdList.{}.member", index + 1), Some(id), limits::SECRET_ID);
    }
    filter::check(&mut constraints, input.filters.as_deref().unwrap_or_default());
    constraints.number("maxResults", input.max_results, limits::BATCH_PAGE);
    constraints.next_token(input.next_token.as_deref());
    constraints.finish()?;
    let filters = input.filters.filter(|filters| !filters.is_empty());
    if filters.is_none() && input.max_results.is_some() {
        return Err(ServiceError::invalid_parameter(
            "'Filters' not specified. 'Filters' must also be specified when 'MaxResults' is provided.",
        ));
    }
    let mut batch = Batch::default();
    let next_token = match (input.secret_id_list, filters) {
        (Some(ids), None) => {
            context.read(|reader| ids.into_iter().try_for_each(|id| batch.read_named(reader, context, id)))?;
            None
        }
        (None, Some(filters)) => {
            let size = page_size(input.max_results, &limits::BATCH_PAGE);
            batch.read_filtered(context, &filters, size, input.next_token.as_deref())?
        }
        _ => {
            return Err(ServiceError::invalid_parameter(
                "Either 'SecretIdList' or 'Filters' must be provided, but not both.",
            ));
        }
    };
    note_accesses(context, &batch.values)?;
    Reply::sensitive(&Output {
        secret_values: batch.values.iter().map(ReadValue::members).collect(),
        next_token,
        errors: batch.failures,
    })
}

/// What has been read so far.
#[derive(Default)]
struct Batch {
    values: Vec<ReadValue>,
    failures: Vec<Failure>,
}

impl Batch {
    fn read_named(&mut self, reader: &Reader<'_>, context: &Context<'_>, id: String) -> Result<(), ServiceError> {
        let read = SecretId::parse(&id)
            .and_then(|id| context.find_live(reader, &id))
            .and_then(|found| read_current(reader, context, found));
        self.take(id, read)
    }

    /// Reads the next page of what the filters let through.
    fn read_filtered(
        &mut self,
        context: &Context<'_>,
        filters: &[FilterInput],
        size: usize,
        token: Option<&str>,
    ) -> Result<Option<String>, ServiceError> {
        let selection = Selection {
            order: Order::Created,
            descending: false,
            planned_deletion: false,
            filters: Filters::new(filters)?,
            as_of: None,
        };
        let home = (&context.caller.account, &context.caller.region);
        let query = Query::new(&("BatchGetSecretValue", home, filters));
        let after = token.map(|token| query.place(token)).transpose()?;
        context.read(|reader| {
            let mut page = selection.page(reader, context, after, size + 1)?;
            let next_token = cut(&mut page, size).map(|(place, _)| query.token(place));
            for (_, record) in page {
                let name = record.name.clone();
                let read = read_current(reader, context, Found { home: context.caller.clone(), record });
                self.take(name, read)?;
            }
            Ok(next_token)
        })
    }

    /// Takes a value, or notes why there is none. A fault of the sandbox itself fails the whole call.
    fn take(&mut self, secret_id: String, read: Result<ReadValue, ServiceError>) -> Result<(), ServiceError> {
        match read {
            Ok(value) => self.values.push(value),
            Err(error) if error.code == ErrorCode::InternalServiceError => return Err(error),
            Err(ServiceError { code, message }) => self.failures.push(Failure {
                secret_id,
                error_code: code.name().to_owned(),
                message: message.into_owned(),
            }),
        }
        Ok(())
    }
}

fn read_current(reader: &Reader<'_>, context: &Context<'_>, found: Found) -> Result<ReadValue, ServiceError> {
    if let Some(authorizer) = &context.authorizer {
        authorizer.check_value_read(&found.record)?;
    }
    found.refuse_foreign_account(context.caller)?;
    ReadValue::of(reader, found, None, None)
}
