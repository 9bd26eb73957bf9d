//! What the service does by itself when it is due: removing secrets whose recovery window has ended, finishing
//! replications in other regions and accounts, rotating on schedule.
//!
//! There is no thread that waits for it. Each request first carries out what has fallen due since the last one, in the
//! order of time and each at its own moment, so that no answer shows a difference.

use super::{Context, cross_account, recording, replication, rotation};
use crate::home::Home;
use crate::state::{Found, Writer};
use crate::wire::ServiceError;

/// Carries out everything that is due by now.
pub(crate) fn run_due(context: &Context<'_>) -> Result<(), ServiceError> {
    if context.read(|reader| Ok(reader.first_due()?))?.is_none() {
        return Ok(());
    }
    context.write(|writer| {
        let mut rotated = rotation::Overdue::default();
        while let Some((moment, home, name)) = writer.take_first_due()? {
            carry_out(context, &writer.at(moment), home, &name, &mut rotated)?;
        }
        Ok(())
    })
}

/// Carries out what is due of one secret. Whatever it is, the secret's next moment lies behind this one afterwards.
fn carry_out(
    context: &Context<'_>,
    writer: &Writer<'_>,
    home: Home,
    name: &str,
    rotated: &mut rotation::Overdue,
) -> Result<(), ServiceError> {
    let Some(record) = writer.secret_as_stored(&home, name)? else { return Ok(()) };
    if record.deletion.is_some_and(|deletion| deletion.due <= writer.now()) {
        recording::note_deletion(context, writer, &home, "End", &record)?;
        return Ok(writer.remove(&home, &record)?);
    }
    let mut found = Found { home, record };
    replication::finish(context, writer, &mut found)?;
    cross_account::finish(context, writer, &mut found)?;
    rotation::rotate_if_due(context, writer, &mut found, rotated)?;
    // A rotation is a change of values, and the copy of it is due at this very moment.
    cross_account::finish(context, writer, &mut found)
}
