//! `out.Filter`: keeps the records for which an expression is true.

use swak_sdk::prelude::*;

use super::unreadable::Unreadable;

/// Keeps the records for which an expression is true.
///
/// ```example
/// out.JsonParser(), out.Filter("status >= 500 and host != 'test'")
/// < {"status":503,"host":"web-1"}
/// < {"status":503,"host":"test"}
/// < {"host":"web-1"}
/// > {"status":503,"host":"web-1"}
/// ```
#[derive(Options)]
#[plugin(transform, name = "Filter")]
pub(crate) struct FilterOptions {
    /// What is kept: `status >= 500 and host != "test"`. A field that is not there is false, and
    /// neither greater nor less than anything.
    #[option(positional)]
    expr: Expr,
    /// What becomes of a record for which the expression has no value, as for `1 / 0`.
    #[option(default = "keep")]
    on_error: Placed<Unreadable>,
}

pub(crate) struct Filter {
    expr: Expr,
    on_error: Unreadable,
}

#[derive(Clone, Copy, PartialEq)]
enum Verdict {
    Stays,
    Goes,
    Unknown,
}

impl Plugin for Filter {
    type Options = FilterOptions;

    fn new(options: FilterOptions, cx: &BuildContext) -> Result<Self> {
        Unreadable::check(&options.on_error, "on_error", cx)?;
        Ok(Filter { expr: options.expr, on_error: *options.on_error })
    }
}

impl Transform for Filter {
    fn apply(&mut self, mut batch: Batch, out: &mut Outlet) -> Result<()> {
        let mut why = None;
        let mut verdicts = Vec::with_capacity(batch.len());
        for record in batch.iter() {
            verdicts.push(match self.expr.matches(&Scope::new(&batch, record)) {
                Ok(true) => Verdict::Stays,
                Ok(false) => Verdict::Goes,
                Err(error) => {
                    why.get_or_insert(error);
                    match self.on_error {
                        Unreadable::Keep => {
                            out.error();
                            Verdict::Stays
                        }
                        Unreadable::Drop | Unreadable::DeadLetter => Verdict::Unknown,
                    }
                }
            });
        }
        if let (Some(why), true) = (why, verdicts.contains(&Verdict::Unknown)) {
            let unknown = take(&mut batch, &mut verdicts, Verdict::Unknown);
            match self.on_error {
                Unreadable::DeadLetter => {
                    out.reject(unknown, format!("`{}` has no value: {why}", self.expr));
                }
                _ => out.drop_batch(unknown, "the expression has no value"),
            }
        }
        if verdicts.contains(&Verdict::Goes) {
            out.filter_out(take(&mut batch, &mut verdicts, Verdict::Goes));
        }
        out.emit(batch);
        Ok(())
    }
}

/// Takes the records of one verdict out of the batch.
fn take(batch: &mut Batch, verdicts: &mut Vec<Verdict>, wanted: Verdict) -> Batch {
    let mut of_each = verdicts.iter();
    let taken = batch.extract(|_| of_each.next() == Some(&wanted));
    verdicts.retain(|verdict| *verdict != wanted);
    taken
}

#[cfg(test)]
mod tests;
