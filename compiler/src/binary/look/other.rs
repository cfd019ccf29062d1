//! What a file is that is no executable: the commonest mistakes, by how they begin.

/// What it is, to be put after "it is".
pub(super) fn what(bytes: &[u8]) -> &'static str {
    let known: [(&[u8], &str); 9] = [
        (b"", "an empty file"),
        (b"#!", "a script"),
        (b"\x1f\x8b", "a file compressed by gzip"),
        (b"PK\x03\x04", "a ZIP archive"),
        (b"!<arch>\n", "an archive of object files or a Debian package"),
        (b"\xed\xab\xee\xdb", "an RPM package"),
        (b"\xca\xfe\xba\xbe", "a class of Java"),
        (b"\0asm", "a module of WebAssembly"),
        (b"\xfe\xed\xfa", "a Mach-O file for a processor that no macOS runs on any more"),
    ];
    if bytes.is_empty() {
        return known[0].1;
    }
    let found = known[1..].iter().find(|(magic, _)| bytes.starts_with(magic));
    if let Some((_, what)) = found {
        return what;
    }
    let head = &bytes[..bytes.len().min(512)];
    let is_text = match std::str::from_utf8(head) {
        Ok(_) => true,
        // A character that the end of the piece cuts off.
        Err(error) => error.error_len().is_none(),
    };
    if is_text && !head.contains(&0) { "a text" } else { "a file of an unknown kind" }
}
