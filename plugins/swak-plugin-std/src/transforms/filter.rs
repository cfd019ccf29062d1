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

impl Plugin for Filter {
    type Options = FilterOptions;

    fn new(options: FilterOptions, cx: &BuildContext) -> Result<Self> {
        Unreadable::check(&options.on_error, "on_error", cx)?;
        Ok(Filter { expr: options.expr, on_error: *options.on_error })
    }
}

impl Transform for Filter {
    fn apply(&mut self, mut batch: Batch, out: &mut Outlet) -> Result<()> {
        let (tag, source) = (batch.tag.clone(), batch.source.clone());
        // Of what goes, the places of records for which there is no value, and why.
        let (mut taken, mut unknown, mut why) = (0, Vec::new(), None);
        let mut gone = batch.extract(|record| {
            let goes = match self.expr.matches_in(record, &tag, &source) {
                Ok(matches) => !matches,
                Err(_) if self.on_error == Unreadable::Keep => {
                    out.error();
                    false
                }
                Err(error) => {
                    why.get_or_insert(error);
                    unknown.push(taken);
                    true
                }
            };
            taken += usize::from(goes);
            goes
        });
        if let Some(why) = why {
            let mut at = 0..taken;
            let unknown =
                gone.extract(|_| at.next().is_some_and(|at| unknown.binary_search(&at).is_ok()));
            match self.on_error {
                Unreadable::DeadLetter => {
                    out.reject(unknown, format!("`{}` has no value: {why}", self.expr));
                }
                _ => out.drop_batch(unknown, "the expression has no value"),
            }
        }
        out.filter_out(gone);
        out.emit(batch);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
