//! What a Linux executable wants of the system: nothing when it is static, else a glibc.

use crate::target::Triple;

/// What a dynamic executable wants.
pub(super) struct Needs {
    /// The least glibc, as its minor version: `17` for 2.17.
    pub(super) glibc: u16,
    /// It also loads `libgcc_s.so.1`, for unwinding.
    pub(super) libgcc: bool,
}

/// The needs of an executable; `None` when it is static.
///
/// The versions of symbols that it wants stand in it as text (`GLIBC_2.17`), in the table that the
/// loader reads; the newest one counts.
pub(super) fn of(triple: &Triple, executable: &[u8]) -> Option<Needs> {
    const MARK: &[u8] = b"\0GLIBC_2.";
    if triple.is_musl() {
        return None;
    }
    let mut glibc = triple.glibc().unwrap_or_default();
    for at in places(executable, MARK) {
        let rest = &executable[at + MARK.len()..];
        let digits = rest.iter().take(4).take_while(|b| b.is_ascii_digit()).count();
        let text = std::str::from_utf8(&rest[..digits]).expect("digits are ASCII");
        if let Ok(minor) = text.parse::<u16>() {
            glibc = glibc.max(minor);
        }
    }
    let libgcc = places(executable, b"\0libgcc_s.so.1\0").next().is_some();
    // Rust's standard library wants at least this.
    Some(Needs { glibc: glibc.max(17), libgcc })
}

/// Every place where a text that begins with a nought byte stands.
fn places<'a>(bytes: &'a [u8], wanted: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    let starts = bytes.iter().enumerate().filter(|(_, b)| **b == 0).map(|(at, _)| at);
    starts.filter(move |at| bytes[*at..].starts_with(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_glibc_that_is_named_counts() {
        let triple = |name: &str| crate::target::Target::parse(name).expect("a target").triples;
        let gnu = &triple("linux-x86_64-gnu")[0];
        // One that is not a text of its own is part of something else.
        let bytes = b"x\0GLIBC_2.2.5\0GLIBC_2.34\0GLIBC_2.17\0libgcc_s.so.1\0xGLIBC_2.99\0";
        let needs = of(gnu, bytes).expect("dynamic");
        assert_eq!((needs.glibc, needs.libgcc), (34, true));
        assert_eq!(of(gnu, b"").map(|n| (n.glibc, n.libgcc)), Some((17, false)));
        assert_eq!(of(&triple("linux-x86_64-gnu.2.28")[0], b"").map(|n| n.glibc), Some(28));
        assert!(of(&triple("linux-x86_64")[0], bytes).is_none());
    }
}
