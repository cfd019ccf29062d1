//! Compressed events (RFC 1952).

use std::io::{Read, Write};

use flate2::Compression;
use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;
use swak_sdk::data::Slice;

use super::ForwardError;
use crate::msgpack::ScanError;

/// What every gzip member begins with; no event does.
const MAGIC: &[u8] = &[0x1f, 0x8b];

/// How often events may be compressed over each other: by a sender whose buffer holds them
/// compressed, and by another on the way.
const MAX_LAYERS: usize = 3;

/// What is in one or more gzip members, one after the other, if it is at most `max` bytes, and as many
/// with the layers below it.
pub(super) fn unpack(packed: &[u8], max: usize) -> Result<Slice, ForwardError> {
    let mut unpacked = unpack_layer(packed, max)?;
    for _ in 1..MAX_LAYERS {
        if !unpacked.starts_with(MAGIC) {
            break;
        }
        unpacked = unpack_layer(&unpacked, max - unpacked.len())?;
    }
    Ok(unpacked.into())
}

/// Appends bytes as one gzip member. The same bytes give the same member.
pub(super) fn pack(bytes: &[u8], out: &mut Vec<u8>) {
    let mut encoder = GzEncoder::new(out, Compression::fast());
    let packed = encoder.write_all(bytes).and_then(|()| encoder.finish());
    packed.expect("memory takes everything");
}

fn unpack_layer(packed: &[u8], max: usize) -> Result<Vec<u8>, ForwardError> {
    let mut unpacked = Vec::new();
    let limit = (max as u64).saturating_add(1);
    let read = MultiGzDecoder::new(packed).take(limit).read_to_end(&mut unpacked);
    read.map_err(ForwardError::Gzip)?;
    if unpacked.len() > max {
        return Err(ScanError::TooLong.into());
    }
    // It has grown by doubling.
    unpacked.shrink_to_fit();
    Ok(unpacked)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        pack(bytes, &mut out);
        out
    }

    #[test]
    fn members_and_layers_are_unpacked() {
        let events = |packed: &[u8]| unpack(packed, 100).map(|events| events.to_vec()).ok();
        let members = [packed(b"\x92a"), packed(b"b")].concat();
        assert_eq!(events(&members).unwrap(), b"\x92ab");
        assert_eq!(events(&packed(&members)).unwrap(), b"\x92ab");
        assert_eq!(events(b"plain"), None);
        assert_eq!(events(&members[..members.len() - 1]), None, "a member that is cut off");
    }

    #[test]
    fn no_layer_holds_more_than_it_may() {
        let bomb = packed(&[0; 200]);
        assert!(matches!(unpack(&bomb, 100), Err(ForwardError::Scan(ScanError::TooLong))));
        assert!(unpack(&packed(&bomb), 100).is_err());
        // Both are in memory at once.
        let layers = packed(&packed(&[0x92; 90]));
        let inner = packed(&[0x92; 90]).len();
        assert!(unpack(&layers, 90 + inner).is_ok() && unpack(&layers, 89 + inner).is_err());
    }
}
