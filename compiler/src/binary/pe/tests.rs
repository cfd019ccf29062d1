use proptest::prelude::*;

use super::super::bytes::{put, u16_le, u32_le};
use super::super::look;
use super::super::samples::{damaged, linux_musl, windows_arm, windows_intel};
use super::resources::{ENGLISH, Key, MANIFEST, VERSION};
use super::*;

fn info() -> VersionInfo {
    VersionInfo {
        product: "swak-myprj".to_owned(),
        file_name: "swak-myprj-windows-x86_64.exe".to_owned(),
        version: "1.4.70000-rc.1".parse().expect("a version"),
        description: "Ägent 日本 🦀".to_owned(),
        company: Some("ACME".to_owned()),
        copyright: None,
    }
}

fn resources(bytes: &[u8]) -> Resources {
    Resources::read(bytes, &Headers::read(bytes).expect("headers")).expect("resources")
}

#[test]
fn version_information_is_read_as_it_was_written() {
    for bytes in [windows_intel(), windows_arm()] {
        let file = set_version_info(&bytes, &info()).expect("it has room");
        let found = look(&file).expect("an executable").parts.swap_remove(0);
        let expected = [
            ("CompanyName", "ACME"),
            ("FileDescription", "Ägent 日本 🦀"),
            ("FileVersion", "1.4.70000-rc.1"),
            ("InternalName", "swak-myprj"),
            ("OriginalFilename", "swak-myprj-windows-x86_64.exe"),
            ("ProductName", "swak-myprj"),
            ("ProductVersion", "1.4.70000-rc.1"),
        ];
        let expected = expected.map(|(name, text)| (name.to_owned(), text.to_owned()));
        assert_eq!(found.version_info, expected.into());
        let before = look(&bytes).expect("an executable").parts.swap_remove(0);
        assert_eq!(found.libraries, before.libraries);
    }
}

#[test]
fn numbers_are_kept_in_the_bounds_of_the_format() {
    let file = set_version_info(&windows_arm(), &info()).expect("it has room");
    let resources = resources(&file);
    let version = resources.version().expect("set");
    // The head is 6 bytes, the name 32, and 2 to the next multiple of four.
    let fixed = &version[40..];
    assert_eq!(u32_le(fixed, 0), Some(0xfeef_04bd));
    assert_eq!(u32_le(fixed, 8), Some(1 << 16 | 4));
    assert_eq!(u32_le(fixed, 12), Some(0xffff_0000));
    assert_eq!(u32_le(fixed, 28), Some(2), "a version with a hyphen is before the release");
    assert_eq!(u16_le(version, 0).map(usize::from), Some(version.len()));
}

#[test]
fn nothing_else_of_the_file_changes() {
    let bytes = windows_intel();
    let file = set_version_info(&bytes, &info()).expect("it has room");
    let (before, after) =
        (Headers::read(&bytes).expect("whole"), Headers::read(&file).expect("whole"));
    assert_eq!(after.sections.len(), before.sections.len() + 1);
    for (old, new) in before.sections.iter().zip(&after.sections) {
        let place = old.file_offset as usize..(old.file_offset + old.file_size) as usize;
        assert_eq!((old.address, old.file_offset), (new.address, new.file_offset));
        assert_eq!(bytes[place.clone()], file[place]);
    }
    let last = after.sections.last().expect("the new one");
    assert_eq!(last.address % 0x1000, 0);
    assert_eq!((last.file_offset + last.file_size) as usize, file.len());
}

#[test]
fn a_second_time_replaces_the_first() {
    let once = set_version_info(&windows_intel(), &info()).expect("it has room");
    assert!(set_version_info(&once, &info()).as_ref() == Ok(&once));
    let long = VersionInfo { description: "x".repeat(3999), ..info() };
    let longer = set_version_info(&once, &long).expect("the section grows");
    assert!(set_version_info(&longer, &info()) == Ok(once));
}

#[test]
fn other_resources_and_a_manifest_stay() {
    let bytes = windows_arm();
    let mut own = Resources::default();
    own.set(MANIFEST, b"<assembly/>".to_vec());
    own.set(3, vec![1, 2, 3]);
    own.set_named(Key::Name("ÜBER".encode_utf16().collect()), vec![4; 5]);
    let headers = Headers::read(&bytes).expect("whole");
    let with = headers.with_resources(&bytes, |address| own.section(address)).expect("room");
    assert_eq!(resources(&with), own);
    let file = set_version_info(&with, &info()).expect("the section is replaced");
    let found = resources(&file);
    assert_eq!(found.first(MANIFEST), Some(&b"<assembly/>"[..]));
    assert_eq!(found.first(3), Some(&[1, 2, 3][..]));
    assert!(found.version().is_some());
    // Behind something that is no section, the resources move into a new one.
    let mut overlaid = with.clone();
    overlaid.extend_from_slice(b"a symbol table, say");
    let file = set_version_info(&overlaid, &info()).expect("room for one more");
    assert_eq!(resources(&file), found);
    assert_eq!(&file[..with.len()][with.len() - 4..], &with[with.len() - 4..]);
}

#[test]
fn a_checksum_is_made_anew_where_there_was_one() {
    let mut bytes = windows_arm();
    let at = u32_le(&bytes, 0x3c).expect("a header") as usize + 24 + 64;
    let sum = |bytes: &[u8]| u32_le(bytes, at).expect("a header");
    assert_eq!(sum(&set_version_info(&bytes, &info()).expect("room")), 0);
    put(&mut bytes, at, &1u32.to_le_bytes());
    let file = set_version_info(&bytes, &info()).expect("room");
    // By the definition: the sum of the words without the field, folded, and the length.
    let mut cleared = file.clone();
    put(&mut cleared, at, &[0; 4]);
    let words: u64 = cleared.chunks(2).map(|w| u64::from(u16::from_le_bytes([w[0], w[1]]))).sum();
    let mut folded = words;
    while folded > 0xffff {
        folded = (folded & 0xffff) + (folded >> 16);
    }
    assert_eq!(u64::from(sum(&file)), folded + file.len() as u64);
}

#[test]
fn what_cannot_be_set_is_said() {
    assert_eq!(set_version_info(&linux_musl(), &info()), Err(PeError::NotPe));
    let long = VersionInfo { copyright: Some("x".repeat(4000)), ..info() };
    assert_eq!(set_version_info(&windows_arm(), &long), Err(PeError::TooLong("copyright")));
    let mut longest = info();
    for text in [&mut longest.description, &mut longest.product, &mut longest.file_name] {
        *text = "x".repeat(3999);
    }
    longest.company = Some("x".repeat(3999));
    longest.copyright = Some("x".repeat(3999));
    let file = set_version_info(&windows_arm(), &longest).expect("all of them fit");
    let found = look(&file).expect("an executable").parts.swap_remove(0);
    assert_eq!(found.version_info["LegalCopyright"].len(), 3999);

    let mut signed = windows_arm();
    let certificates = u32_le(&signed, 0x3c).expect("a header") as usize + 24 + 112 + 4 * 8;
    put(&mut signed, certificates, &[1; 8]);
    assert_eq!(set_version_info(&signed, &info()), Err(PeError::Signed));
}

#[test]
fn the_language_of_the_texts_is_said() {
    let file = set_version_info(&windows_arm(), &info()).expect("room");
    let resources = resources(&file);
    let version = resources.version().expect("set");
    let table: Vec<u8> = "040904b0".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(memchr::memmem::find(version, &table).is_some());
    assert_eq!(ENGLISH, 0x409);
    assert_eq!(VERSION, 16);
}

#[test]
fn no_damage_makes_it_panic() {
    let file = set_version_info(&windows_arm(), &info()).expect("room");
    let take = |bytes: &[u8]| {
        drop(look(bytes));
        drop(set_version_info(bytes, &info()));
    };
    damaged(&file, 1024, take);
    let last = Headers::read(&file).expect("whole").sections.pop().expect("the new one");
    let mut changed = file.clone();
    for at in last.file_offset as usize..(last.file_offset + last.size) as usize {
        for byte in [0, 1, 0x7f, 0x80, 0xff] {
            changed[at] = byte;
            take(&changed);
        }
        changed[at] = file[at];
    }
}

#[test]
fn tables_that_lead_to_each_other_come_to_an_end() {
    let bytes = windows_arm();
    // One table with 5000 entries: each leads to the table itself. Read to the last leaf, it would
    // be 125 thousand millions.
    let mut table = vec![0; 14];
    table.extend_from_slice(&5000u16.to_le_bytes());
    (0..5000u32).for_each(|id| {
        table.extend_from_slice(&id.to_le_bytes());
        table.extend_from_slice(&0x8000_0000u32.to_le_bytes());
    });
    let headers = Headers::read(&bytes).expect("whole");
    let file = headers.with_resources(&bytes, |_| Ok(table)).expect("room");
    let headers = Headers::read(&file).expect("whole");
    assert!(matches!(Resources::read(&file, &headers), Err(PeError::Damaged(_))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_wild_number_makes_it_panic(
        wild in prop::collection::vec((0..1024usize / 4, any::<u32>(), 0u32..32), 1..5),
    ) {
        let mut bytes = windows_arm();
        for (word, number, shift) in wild {
            put(&mut bytes, word * 4, &(number >> shift).to_le_bytes());
        }
        drop(look(&bytes));
        if let Ok(file) = set_version_info(&bytes, &info()) {
            prop_assert!(resources(&file).version().is_some());
        }
    }
}
