use proptest::prelude::*;

use super::super::bytes::{put, u32_le};
use super::super::look;
use super::super::samples::{damaged, linux_musl, macos_arm, macos_intel};
use super::universal::{is_universal, join, parts};
use super::*;

fn signature(bytes: &[u8]) -> Signature {
    let found = look(bytes).expect("an executable").parts.swap_remove(0);
    found.signature.expect("every Mach-O file is asked for it")
}

fn ad_hoc(identifier: &str, linker: bool) -> Signature {
    Signature::AdHoc { identifier: identifier.to_owned(), linker }
}

/// The header and the load commands of the sample, and a little more.
const HEAD: usize = 1536;

#[test]
fn the_linkers_signature_is_read_and_replaced() {
    let unsigned = macos_intel();
    assert_eq!(signature(&unsigned), Signature::None);
    assert_eq!(signature(&macos_arm()), ad_hoc("hello-aarch64-macos", true));
    for bytes in [unsigned, macos_arm()] {
        let signed = sign(&bytes, "swak-myprj").expect("it has room");
        assert_eq!(signature(&signed), ad_hoc("swak-myprj", false));
        // Nothing of the first signature is left, and the name's length has its effect.
        assert!(sign(&signed, "swak-myprj").as_ref() == Ok(&signed));
        let other = sign(&signed, &"x".repeat(255)).expect("a long name");
        assert!(sign(&other, "swak-myprj") == Ok(signed));
    }
}

#[test]
fn the_number_of_a_file_comes_from_what_is_in_it() {
    for bytes in [macos_intel(), macos_arm()] {
        let made = set_uuid(&bytes).expect("whole");
        let at: Vec<_> = (0..bytes.len()).filter(|at| bytes[*at] != made[*at]).collect();
        let (first, last) = (at[0], at[at.len() - 1]);
        assert!(last - first < 16, "nothing else is changed: {at:?}");
        // What the linker drew is forgotten; what it linked is not.
        let mut other = bytes.clone();
        other[first] ^= 1;
        assert!(set_uuid(&other).as_ref() == Ok(&made));
        let code = Layout::read(&bytes).expect("whole").first_section as usize;
        other[code] ^= 1;
        let other = set_uuid(&other).expect("whole");
        assert_ne!(other[first..=last], made[first..=last]);
    }
}

#[test]
fn every_changed_byte_before_the_signature_spoils_it() {
    let signed = sign(&macos_intel(), "swak-myprj").expect("it has room");
    let layout = Layout::read(&signed).expect("whole");
    let end = layout.signature.expect("signed").offset as usize;
    let mut changed = signed.clone();
    for at in (layout.commands_end..end).step_by(61) {
        changed[at] ^= 0x40;
        assert!(matches!(signature(&changed), Signature::Invalid { .. }), "{at}");
        changed[at] = signed[at];
    }
    assert_eq!(signature(&changed), ad_hoc("swak-myprj", false));
}

#[test]
fn linkedit_ends_with_the_file_and_holds_the_signature() {
    for bytes in [macos_intel(), macos_arm()] {
        let signed = sign(&bytes, "swak-myprj").expect("it has room");
        let layout = Layout::read(&signed).expect("whole");
        let linkedit = layout.segment("__LINKEDIT").expect("there before");
        assert_eq!(linkedit.offset + linkedit.size, signed.len() as u64);
        let place = layout.signature.expect("signed");
        assert_eq!(place.offset % 16, 0);
        assert_eq!(place.offset as usize + place.size as usize, signed.len());
        let first = Layout::read(&bytes).expect("whole");
        let added = u32::from(first.signature.is_none());
        assert_eq!(layout.command_count, first.command_count + added);
    }
}

#[test]
fn what_cannot_be_signed_is_said() {
    assert_eq!(sign(&linux_musl(), "x"), Err(MachoError::NotMacho));
    for name in ["", "a\0b", &"x".repeat(256)] {
        assert_eq!(sign(&macos_intel(), name), Err(MachoError::BadIdentifier));
    }
    let mut behind = macos_arm();
    behind.push(0);
    assert_eq!(sign(&behind, "x"), Err(MachoError::Trailing));
    // Something else stands where the new command would.
    let mut full = macos_intel();
    let end = Layout::read(&full).expect("whole").commands_end;
    full[end + 15] = 1;
    assert_eq!(sign(&full, "x"), Err(MachoError::NoRoom));
}

#[test]
fn two_processors_are_joined_in_lipos_order_and_keep_their_signatures() {
    let arm = sign(&macos_arm(), "swak-myprj").expect("it has room");
    let intel = sign(&macos_intel(), "swak-myprj").expect("it has room");
    let file = join(&[&arm, &intel]).expect("two processors");
    assert!(join(&[&intel, &arm]).as_ref() == Ok(&file));
    assert!(parts(&file).expect("whole") == [&intel, &arm]);
    let found = look(&file).expect("universal");
    assert_eq!(found.format, look::Format::Universal);
    let processors: Vec<_> = found.parts.iter().map(|p| p.processor.as_str()).collect();
    assert_eq!(processors, ["x86_64", "aarch64"]);
    for part in &found.parts {
        assert_eq!(part.signature, Some(ad_hoc("swak-myprj", false)));
    }
    let again = sign(&file, "other").expect("both have room");
    assert_eq!(look(&again).expect("universal").parts[1].signature, Some(ad_hoc("other", false)));
}

#[test]
fn what_cannot_be_joined_is_said() {
    let arm = macos_arm();
    assert_eq!(join(&[&arm, &arm]), Err(MachoError::Twice("aarch64")));
    assert_eq!(join(&[arm, linux_musl()]), Err(MachoError::NotMacho));
    assert_eq!(join::<Vec<u8>>(&[]), Err(MachoError::Empty));
    // A class of Java's begins like a universal file.
    let class = b"\xca\xfe\xba\xbe\0\0\0\x34rest of it";
    assert!(!is_universal(class));
    assert_eq!(parts(class), Err(MachoError::NotMacho));
}

#[test]
fn no_damage_makes_it_panic() {
    let intel = sign(&macos_intel(), "x").expect("it has room");
    let take = |bytes: &[u8]| {
        drop(look(bytes));
        drop(sign(bytes, "x"));
    };
    damaged(&intel, HEAD, take);
    // The signature's own head.
    let start = Layout::read(&intel).expect("whole").signature.expect("signed").offset as usize;
    for at in start..start + 160 {
        let mut changed = intel.clone();
        for byte in [0, 1, 0x7f, 0xff] {
            changed[at] = byte;
            take(&changed);
        }
    }
    let file = join(&[macos_arm(), intel]).expect("two processors");
    damaged(&file, 64, take);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Numbers of 32 bits in the header and the commands, several at once.
    #[test]
    fn no_wild_number_makes_it_panic(
        wild in prop::collection::vec((0..HEAD / 4, any::<u32>(), 0u32..32), 1..5),
    ) {
        let mut bytes = macos_intel();
        for (word, number, shift) in wild {
            put(&mut bytes, word * 4, &(number >> shift).to_le_bytes());
        }
        drop(look(&bytes));
        if let Ok(signed) = sign(&bytes, "x") {
            prop_assert!(u32_le(&signed, 0).is_some());
        }
    }
}
