//! What fuzzing holds against what it promises: files that gzip has compressed.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;

use super::gzip::GzipSource;
use super::read::ReadAt;

/// A file that grows while it is read unpacks to what was packed; one that is damaged, to the
/// beginning of that. Whatever it is, reading comes to an end, and what was read can be read again.
pub fn gzip(data: &[u8]) {
    let [kind, cut, piece, content @ ..] = data else { return };
    let is_packed = kind & 1 == 0;
    let packed = if is_packed { pack(content, *kind) } else { content.to_vec() };
    let mut file = tempfile::tempfile().expect("a file can be made");
    let first = usize::from(*cut).min(packed.len());
    file.write_all(&packed[..first]).expect("a file can be written");
    let source = GzipSource::new(file.try_clone().expect("a file has two handles"), 1000);
    let mut found = Vec::new();
    read_on(&source, &mut found, *piece);
    let was_whole = source.whole().is_some();
    file.write_all(&packed[first..]).expect("a file can be written");
    read_on(&source, &mut found, *piece);
    let expected = unpack(&packed);
    if is_packed {
        // The other reader does not know padding.
        assert!(
            found == content && content.starts_with(&expected),
            "it unpacks to what was packed"
        );
        assert!(source.whole().is_some() && !source.is_cut_off());
        assert_eq!(source.take_damage(), None);
        assert!(!was_whole || first == packed.len() || kind & 2 != 0, "members end where they end");
    } else {
        assert!(found.starts_with(&expected) || expected.starts_with(&found));
        assert!(!source.is_cut_off() || source.whole().is_none());
    }
    let mut again = Vec::new();
    source.read_at(&mut again, 0, found.len()).expect("a file can be read");
    assert!(again.starts_with(&found), "what was read can be read again");
}

/// As one member or several, the last of them after some padding.
fn pack(content: &[u8], kind: u8) -> Vec<u8> {
    let members = if kind & 2 == 0 { 1 } else { 3 };
    let mut packed = Vec::new();
    for (i, part) in content.chunks((content.len() / members).max(1)).enumerate() {
        if i > 1 && kind & 4 != 0 {
            packed.resize(packed.len() + usize::from(kind), 0);
        }
        packed.extend(member(part));
    }
    if packed.is_empty() { member(b"") } else { packed }
}

fn member(part: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(part).expect("memory can be written");
    encoder.finish().expect("memory can be written")
}

fn read_on(source: &GzipSource, found: &mut Vec<u8>, piece: u8) {
    loop {
        let want = 1 + 100 * usize::from(piece);
        let mut bytes = Vec::new();
        let read = source.read_at(&mut bytes, found.len() as u64, want);
        assert_eq!(read.expect("a file can be read"), bytes.len());
        if bytes.is_empty() {
            return;
        }
        found.append(&mut bytes);
        // No more can come out of what a target is given.
        assert!(found.len() < 16 << 20, "it comes to an end");
    }
}

/// What another reader unpacks, up to what it does not like.
fn unpack(packed: &[u8]) -> Vec<u8> {
    let (mut decoder, mut out, mut byte) = (MultiGzDecoder::new(packed), Vec::new(), [0; 512]);
    while let Ok(n @ 1..) = decoder.read(&mut byte) {
        out.extend_from_slice(&byte[..n]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fuzzing_found_stays_found() {
        crate::inputs::fuzz::replay::replay("gzip", gzip);
    }
}
