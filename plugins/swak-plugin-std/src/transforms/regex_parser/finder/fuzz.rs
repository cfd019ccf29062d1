//! What fuzzing holds against what it promises: finding groups.

use swak_sdk::options::Pattern;

use super::Finder;
use super::program::Program;
use super::scan::{Scanner, UNSET, Verdict};

/// What patterns are made of.
const PIECES: [&str; 48] = [
    "(", "(", "(", "(?:", "(?:", "(?-u:", "(?i:", "(?s:", "(?m:", ")", ")", ")", ")", ")", "|",
    "|", "*", "*", "+", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{0,3}?", "{2,}", "^", "$",
    r"\b", r"\B", r"\S", r"\d", r"\w", r"\s", ".", ".", "[^ ]", "[^\"]", "[a-c]", "a", "b", "ab",
    " ", "\"", "é", r"[^a\n]",
];

/// A text in which the scanner finds what the engine finds.
pub(crate) fn captures(data: &[u8]) {
    let [count, rest @ ..] = data else { return };
    let count = rest.len().min(usize::from(count % 24));
    let (pieces, text) = rest.split_at(count);
    if let Ok(pattern) = Pattern::new(&pattern_of(pieces)) {
        agree(&pattern, text);
    }
}

/// A pattern of these pieces, without those that cannot stand where they are. It is a group as a whole,
/// so that the match is compared too.
fn pattern_of(pieces: &[u8]) -> String {
    let mut pattern = "(".to_owned();
    let (mut depth, mut is_start) = (1, true);
    for piece in pieces.iter().map(|i| PIECES[usize::from(*i) % PIECES.len()]) {
        let repeats = piece.starts_with(['*', '+', '?', '{']);
        if (piece == ")" && depth == 1) || (repeats && is_start) {
            continue;
        }
        let opens = piece.starts_with('(');
        depth = depth + i32::from(opens) - i32::from(piece == ")");
        is_start = opens || repeats || matches!(piece, "|" | "^" | "$" | r"\b" | r"\B");
        pattern.push_str(piece);
    }
    pattern.extend((0..depth).map(|_| ')'));
    pattern
}

/// Compares the groups that are found with those that the engine finds. Gives back what the scanner
/// said, if there is one for such a pattern.
pub(super) fn agree(pattern: &Pattern, text: &[u8]) -> Option<Verdict> {
    let groups: Vec<usize> = (1..pattern.captures_len()).collect();
    let expected: Option<Vec<_>> = pattern.captures(text).map(|found| {
        groups.iter().map(|group| found.get(*group).map(|m| m.start()..m.end())).collect()
    });
    let slots = |pair: &[usize]| (pair[1] != UNSET).then(|| pair[0]..pair[1]);
    let mut finder = Finder::new(pattern, &groups);
    // The second time with memory that is used again, and with more behind the text.
    for behind in [&b""[..], text, b"\xa9\x80a\" 0 b\n)-,:]_=Ac. 1234567890"] {
        let longer = [text, behind].concat();
        let found = finder
            .find(&longer, text.len())
            .then(|| finder.groups().iter().map(|pair| slots(pair)).collect());
        assert_eq!(found, expected, "{pattern} in {:?}", text.escape_ascii().to_string());
    }
    let tree = regex_syntax::ParserBuilder::new().utf8(false).build().parse(pattern.as_str());
    let program = Program::new(&tree.expect("it was parsed before"), &groups)?;
    let mut scanner = Scanner::default();
    let verdict = scanner.find(&program, text);
    match verdict {
        Verdict::Match => {
            assert_eq!(Some(scanner.slots.chunks(2).map(slots).collect()), expected);
        }
        Verdict::NoMatch => assert_eq!(None, expected),
        Verdict::Unknown => {}
    }
    Some(verdict)
}
