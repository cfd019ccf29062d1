//! Working for who comes next, instead of waking them.

/// The part of a task that takes what an input emits.
///
/// A thread that may block can do that part's work with what it hands over, which spares a wake-up and
/// leaves the records in the caches of one processor. The engine decides when that is worth it.
pub trait Help: Send + Sync {
    /// Calls `give` once, which hands over about so many bytes or finds that there is no room for them. Then,
    /// in this thread, does what there is to do, unless somebody does so already.
    fn help(&self, bytes: usize, give: &mut dyn FnMut());
}
