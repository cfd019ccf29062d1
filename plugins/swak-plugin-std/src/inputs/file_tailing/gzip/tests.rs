use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;

use super::*;

/// A gzip file that a test writes to.
struct Packing {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

impl Packing {
    fn new(bytes: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.gz");
        std::fs::write(&path, bytes).unwrap();
        Packing { _folder: folder, path }
    }

    fn append(&self, bytes: &[u8]) {
        OpenOptions::new().append(true).open(&self.path).unwrap().write_all(bytes).unwrap();
    }

    fn source(&self, keep: usize) -> GzipSource {
        GzipSource::new(File::open(&self.path).unwrap(), keep)
    }
}

fn member(content: &[u8]) -> Vec<u8> {
    let mut to = GzEncoder::new(Vec::new(), Compression::fast());
    to.write_all(content).unwrap();
    to.finish().unwrap()
}

fn read(source: &GzipSource, offset: u64, want: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    source.read_at(&mut bytes, offset, want).unwrap();
    bytes
}

/// Bytes that hardly repeat, so that what is packed is not tiny.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 7_u64;
    let next = || {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
        b'a' + (state >> 60) as u8
    };
    std::iter::repeat_with(next).take(len).collect()
}

#[test]
fn members_are_one_stream_and_its_end_is_known() {
    let packing = Packing::new(&[member(b"one\ntwo\n"), member(b""), member(b"three\n")].concat());
    let source = packing.source(1000);
    assert_eq!(read(&source, 0, 5), b"one\nt");
    assert_eq!(source.whole(), None);
    assert_eq!(read(&source, 5, 100), b"wo\nthree\n");
    assert_eq!(read(&source, 2, 4), b"e\ntw");
    let packed = source.whole().unwrap();
    assert!(!source.is_cut_off() && source.take_damage().is_none());
    source.release(14);
    assert_eq!((source.whole(), read(&source, 14, 10)), (Some(packed), vec![]));
    // The same file is known without unpacking it, and goes on with one more member.
    let again = packing.source(1000);
    assert!(again.is_known(&packed, 14).unwrap());
    assert!(matches!(*again.state.borrow(), State::Read { is_whole: true, .. }));
    packing.append(&member(b"four\n"));
    assert!(again.is_same().unwrap());
    assert_eq!(read(&again, 14, 100), b"four\n");
    assert!(!packing.source(1000).is_known(&packed, 14).unwrap());
}

#[test]
fn a_header_may_have_every_part() {
    let builder =
        || flate2::GzBuilder::new().extra("extra\0field").filename("name").comment("words");
    let mut to = builder().mtime(17).write(Vec::new(), Compression::best());
    to.write_all(b"content").unwrap();
    let bytes = to.finish().unwrap();
    for cut in 0..30 {
        assert!(matches!(header_len(&bytes[..cut]), Header::Incomplete), "{cut}");
    }
    assert_eq!(read(&Packing::new(&bytes).source(1000), 0, 100), b"content");
    // With a checksum of the header, which is not looked at.
    let mut with_sum = vec![0x1f, 0x8b, 8, 2, 0, 0, 0, 0, 0, 255, 1, 2];
    with_sum.extend(&member(b"content")[10..]);
    assert_eq!(read(&Packing::new(&with_sum).source(1000), 0, 100), b"content");
}

#[test]
fn a_file_that_is_being_written_goes_on_byte_by_byte() {
    let content = noise(3_000);
    let bytes = [member(&content[..2_000]), member(&content[2_000..])].concat();
    let packing = Packing::new(b"");
    let source = packing.source(10_000);
    let mut got = Vec::new();
    assert!(!source.is_cut_off(), "an empty file is not cut off");
    for (i, byte) in bytes.iter().enumerate() {
        packing.append(&[*byte]);
        got.extend(read(&source, got.len() as u64, 10_000));
        let is_whole = i + 1 == member(&content[..2_000]).len() || i + 1 == bytes.len();
        assert_eq!((source.is_cut_off(), source.whole().is_some()), (!is_whole, is_whole), "{i}");
    }
    assert_eq!(got, content);
    assert_eq!(source.take_damage(), None);
}

#[test]
fn what_a_writer_has_flushed_can_be_read() {
    let packing = Packing::new(b"");
    let mut to = GzEncoder::new(
        OpenOptions::new().append(true).open(&packing.path).unwrap(),
        Compression::fast(),
    );
    let source = packing.source(1000);
    to.write_all(b"one\n").unwrap();
    to.flush().unwrap();
    assert_eq!(read(&source, 0, 100), b"one\n");
    to.write_all(b"two\n").unwrap();
    to.finish().unwrap();
    assert_eq!(read(&source, 4, 100), b"two\n");
    assert!(source.whole().is_some());
}

#[test]
fn damage_is_told_once_and_what_is_before_it_is_read() {
    let (one, two) = (noise(500_000), b"two\n");
    let (first, second) = (member(&one), member(two));
    let mut bad_sum = first.clone();
    let sum_at = bad_sum.len() - TRAILER;
    bad_sum[sum_at] ^= 1;
    let mut bad_data = [&first[..], &second].concat();
    bad_data[first.len() + 10] = 0xff;
    for (bytes, damage, content) in [
        ([&bad_sum[..], &second].concat(), Damage::Checksum, [&one[..], two].concat()),
        (bad_data, Damage::Data, one.clone()),
        ([&first[..], b"garbage"].concat(), Damage::NoMember, one.clone()),
        (b"no gzip at all".to_vec(), Damage::NoMember, Vec::new()),
    ] {
        let source = Packing::new(&bytes).source(1 << 20);
        assert_eq!(read(&source, 0, 1 << 20), content, "{damage}");
        assert_eq!((source.take_damage(), source.take_damage()), (Some(damage), None));
        assert!(!source.is_cut_off(), "{damage}");
    }
    let padded = Packing::new(&[&first[..], &[0; 1000]].concat()).source(1 << 20);
    assert_eq!(read(&padded, 0, 1 << 20).len(), one.len());
    assert!(padded.whole().is_some() && padded.take_damage().is_none());
}

#[test]
fn another_content_in_the_same_file_is_noticed() {
    let packing = Packing::new(&member(&noise(1_000)));
    let source = packing.source(1000);
    read(&source, 0, 10_000);
    assert!(source.is_same().unwrap());
    std::fs::write(&packing.path, member(&noise(5_000)[3_000..])).unwrap();
    assert!(!source.is_same().unwrap());
    std::fs::write(&packing.path, b"").unwrap();
    assert!(!source.is_same().unwrap());
}

#[test]
fn no_more_is_kept_than_was_asked_for() {
    let content = noise(3 << 20);
    let packing = Packing::new(&member(&content));
    let source = packing.source(100_000);
    let mut at = 0;
    while at < content.len() {
        let piece = read(&source, at as u64, 40_000);
        assert!(piece == content[at..at + piece.len()]);
        at += piece.len();
        let state = source.state.borrow();
        let State::Unpacking(unpacker) = &*state else { panic!("it was not released") };
        assert!(unpacker.early.bytes.capacity() <= 200_000);
        assert_eq!(unpacker.recent.bytes.capacity(), RECENT + PIECE);
        assert!(unpacker.input.capacity() <= INPUT);
    }
    // Kept since the released place, and unpacked again where it is not.
    assert!(read(&source, 0, 100_000) == content[..100_000]);
    assert!(read(&source, 1_000_000, 500_000) == content[1_000_000..1_500_000]);
    assert_eq!(source.take_damage(), None);
}

#[test]
fn a_few_files_are_unpacked_at_once() {
    let packing = Packing::new(&member(&noise(1 << 20)));
    let all: Vec<_> = (0..SLOTS + 3).map(|_| packing.source(1000)).collect();
    let begun: Vec<_> = all.iter().map(GzipSource::may_go_on).collect();
    assert_eq!(begun.iter().filter(|may| **may).count(), SLOTS);
    // Looked at but not begun, it still has to wait; begun it need not.
    read(&all[SLOTS], 0, 10);
    all[SLOTS].rest();
    assert!(!all[SLOTS].may_go_on());
    read(&all[0], 0, 10);
    assert!(all[0].may_go_on());
    // One that is read to its end makes room for another one.
    let (mut at, mut bytes) = (0, read(&all[0], 0, 100_000));
    while !bytes.is_empty() {
        at += bytes.len() as u64;
        all[0].release(at);
        bytes = read(&all[0], at, 100_000);
    }
    assert!(all[SLOTS].may_go_on() && !all[SLOTS + 1].may_go_on());
    // And so does one that is let go.
    drop(all);
    assert!(packing.source(1000).may_go_on());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..Default::default() })]

    #[test]
    fn any_place_gives_what_stands_there(
        sizes in proptest::collection::vec(0usize..400_000, 1..4),
        reads in proptest::collection::vec((any::<prop::sample::Index>(), 1usize..500_000, any::<bool>()), 1..12),
        keep in 1usize..300_000,
    ) {
        let content = noise(sizes.iter().sum());
        let (mut bytes, mut at) = (Vec::new(), 0);
        for size in &sizes {
            bytes.extend(member(&content[at..at + size]));
            at += size;
        }
        let packing = Packing::new(&bytes);
        let source = packing.source(keep);
        let mut least = 0;
        for (place, want, release) in reads {
            let at = place.index(content.len() + 1);
            let expected = &content[at..content.len().min(at + want)];
            prop_assert!(read(&source, at as u64, want) == expected);
            if release && at >= least {
                source.release(at as u64);
                least = at;
            }
        }
        prop_assert_eq!(source.take_damage(), None);
    }
}
