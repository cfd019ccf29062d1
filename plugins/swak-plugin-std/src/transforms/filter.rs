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
            let mut unknown = batch.fork();
            retain(&mut unknown, &verdicts, Verdict::Unknown);
            match self.on_error {
                Unreadable::DeadLetter => {
                    out.reject(unknown, format!("`{}` has no value: {why}", self.expr));
                }
                _ => out.drop_batch(unknown, "the expression has no value"),
            }
        }
        out.filtered(verdicts.iter().filter(|v| **v == Verdict::Goes).count());
        retain(&mut batch, &verdicts, Verdict::Stays);
        out.emit(batch);
        Ok(())
    }
}

fn retain(batch: &mut Batch, verdicts: &[Verdict], wanted: Verdict) {
    if verdicts.iter().all(|verdict| *verdict == wanted) {
        return;
    }
    let mut verdicts = verdicts.iter();
    batch.retain(|_| verdicts.next() == Some(&wanted));
}

#[cfg(test)]
mod tests;
