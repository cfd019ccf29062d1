use swak_sdk::data::{Batch, RecordRef};
use swak_sdk::options::*;
pub(crate) struct Expr;
impl Expr {
    pub(crate) fn read(_: &Literal) -> Result<Self, OptionErrors> {
        Ok(Expr)
    }
    pub(crate) fn matches(&self, _: &Batch, _: RecordRef<'_>) -> bool {
        true
    }
}
