//! What fuzzing holds against what it promises: finding the groups of patterns.

use super::regex_parser::finder::fuzz;

/// A pattern finds in a text what the engine of `regex` finds.
pub fn captures(data: &[u8]) {
    fuzz::captures(data);
}

#[cfg(test)]
mod tests {
    use crate::inputs::fuzz::replay;

    #[test]
    fn what_fuzzing_found_stays_found() {
        replay::replay("captures", super::captures);
    }
}
