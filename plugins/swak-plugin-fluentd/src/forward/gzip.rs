//! Compressed events.

use std::io::Read;

use flate2::bufread::MultiGzDecoder;
use swak_sdk::data::Slice;

use super::ForwardError;
use crate::msgpack::ScanError;

/// What is in one or more gzip members, one after the other, if it is at most `max` bytes.
pub(super) fn unpack(packed: &[u8], max: usize) -> Result<Slice, ForwardError> {
    let mut unpacked = Vec::new();
    let limit = (max as u64).saturating_add(1);
    let read = MultiGzDecoder::new(packed).take(limit).read_to_end(&mut unpacked);
    read.map_err(ForwardError::Gzip)?;
    if unpacked.len() > max {
        return Err(ScanError::TooLong.into());
    }
    Ok(unpacked.into())
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write;

    pub(in super::super) fn pack(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).expect("memory takes everything");
        encoder.finish().expect("memory takes everything")
    }
}
