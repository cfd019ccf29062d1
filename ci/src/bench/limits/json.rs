//! What `sonic-rs` makes of lines of JSON.

use std::hint::black_box;
use std::path::Path;

use anyhow::Result;
use sonic_rs::{JsonValueTrait as _, Value};

use super::lines;

/// A value of each line.
pub(super) fn to_values(input: &Path) -> Result<()> {
    lines(input, &mut |line| {
        black_box(sonic_rs::from_slice::<Value>(line)?);
        Ok(())
    })
}

/// A value of each line, written again.
pub(super) fn and_back(input: &Path) -> Result<()> {
    let mut text = Vec::new();
    lines(input, &mut |line| {
        text.clear();
        sonic_rs::to_writer(&mut text, &sonic_rs::from_slice::<Value>(line)?)?;
        black_box(&text);
        Ok(())
    })
}

/// Where each field of a line begins and ends.
pub(super) fn lazily(input: &Path) -> Result<()> {
    lines(input, &mut |line| {
        for field in sonic_rs::to_object_iter(line) {
            let (name, value) = field?;
            black_box((name, value.as_raw_str().len(), value.is_null()));
        }
        Ok(())
    })
}
