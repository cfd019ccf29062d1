//! Values of number and string tokens.

use crate::diag::{Diagnostic, Span};
use crate::syntax::ExprKind;

/// The value of a number token; `negative` if a minus stood before it.
pub(super) fn number(text: &str, negative: bool, span: Span) -> Result<ExprKind, Box<Diagnostic>> {
    let wrong = || {
        let found =
            Diagnostic::error("bad-number", format!("`{text}` is not a number")).at(span, "");
        let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.' || c == '_');
        Box::new(match unit {
            "" if text.matches('.').count() >= 2 => {
                found.help(format!("put addresses and versions in quotes: \"{text}\""))
            }
            "" if text.starts_with('0') => found.help("a whole number does not begin with 0"),
            _ => found.help(format!("put it in quotes: \"{text}\"")),
        })
    };
    // Python lets `_` stand between two digits only.
    let misplaced = text.starts_with('_') || text.ends_with('_') || text.contains("__");
    let near_point = text.contains("_.") || text.contains("._");
    if misplaced || near_point {
        return Err(wrong());
    }
    let digits: String = text.chars().filter(|c| *c != '_').collect();
    let lower = digits.to_ascii_lowercase();
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(rest) = lower.strip_prefix(prefix) {
            if rest.is_empty() || !rest.chars().all(|c| c.is_digit(radix)) {
                return Err(wrong());
            }
            return integer(rest, radix, negative).ok_or_else(|| too_large(text, span));
        }
    }
    if lower.bytes().all(|b| b.is_ascii_digit()) {
        if lower.len() > 1 && lower.starts_with('0') && lower.bytes().any(|b| b != b'0') {
            return Err(wrong());
        }
        return integer(&lower, 10, negative).ok_or_else(|| too_large(text, span));
    }
    if !lower.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'+' | b'-')) {
        return Err(wrong());
    }
    let value: f64 = lower.parse().map_err(|_| wrong())?;
    if value.is_infinite() {
        return Err(too_large(text, span));
    }
    Ok(ExprKind::Float(if negative { -value } else { value }))
}

/// Appends the value of a string token to what adjacent ones have said. `false` if it is of a kind
/// that is not in the language, so that its value is not known.
pub(super) fn string(
    text: &str,
    span: Span,
    out: &mut String,
    found: &mut Vec<Diagnostic>,
) -> bool {
    let quote_at = text.find(['"', '\'']).expect("the lexer saw a quote");
    let (prefix, quoted) = text.split_at(quote_at);
    if let Some(refused) = prefix_refused(prefix, quoted, span) {
        found.push(refused);
        return false;
    }
    let quotes = if quoted.starts_with("\"\"\"") || quoted.starts_with("'''") { 3 } else { 1 };
    let quote = &quoted[..quotes];
    let inner = &quoted[quotes..];
    // An unclosed string was told by the lexer; what there is of it is read all the same.
    let inner = inner.strip_suffix(quote).unwrap_or(inner);
    if prefix.contains(['r', 'R']) {
        push_lines(out, inner);
        return true;
    }
    let begin = span.start as usize + quote_at + quotes;
    let mut rest = inner;
    while let Some(at) = rest.find('\\') {
        push_lines(out, &rest[..at]);
        let place = begin + (inner.len() - rest.len()) + at;
        let used = escape(&rest[at + 1..], place, out, found);
        rest = &rest[at + 1 + used..];
    }
    push_lines(out, rest);
    true
}

fn integer(digits: &str, radix: u32, negative: bool) -> Option<ExprKind> {
    let value = i128::from_str_radix(digits, radix).ok()?;
    i64::try_from(if negative { -value } else { value }).ok().map(ExprKind::Int)
}

fn too_large(text: &str, span: Span) -> Box<Diagnostic> {
    let shown = if text.len() > 40 { "this number".into() } else { format!("`{text}`") };
    Box::new(
        Diagnostic::error("bad-number", format!("{shown} is too large"))
            .at(span, "")
            .help("whole numbers have 64 bits; put it in quotes if it is text"),
    )
}

/// A line break inside three quotes is one `\n`, whatever the file was saved with.
fn push_lines(out: &mut String, text: &str) {
    if text.contains('\r') {
        out.push_str(&text.replace("\r\n", "\n"));
    } else {
        out.push_str(text);
    }
}

/// Reads what follows a backslash; returns how many bytes it took.
fn escape(rest: &str, place: usize, out: &mut String, found: &mut Vec<Diagnostic>) -> usize {
    let Some(c) = rest.chars().next() else { return 0 };
    let plain = match c {
        '\n' => return 1,
        '\r' if rest.starts_with("\r\n") => return 2,
        '\\' | '\'' | '"' => c,
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'v' => '\u{b}',
        '0'..='7' => {
            let digits = rest.bytes().take(3).take_while(|b| matches!(b, b'0'..=b'7')).count();
            let value = u32::from_str_radix(&rest[..digits], 8).expect("octal digits were counted");
            out.push(char::from_u32(value).expect("three octal digits are a character"));
            return digits;
        }
        'x' | 'u' | 'U' => {
            let wanted = match c {
                'x' => 2,
                'u' => 4,
                _ => 8,
            };
            let digits = rest[1..].bytes().take(wanted).take_while(u8::is_ascii_hexdigit).count();
            let span = Span::new(place, place + 2 + digits);
            let value = u32::from_str_radix(&rest[1..=digits], 16).ok().and_then(char::from_u32);
            match value {
                Some(value) if digits == wanted => out.push(value),
                _ => found.push(
                    Diagnostic::error(
                        "bad-escape",
                        format!("`\\{c}` needs {wanted} hexadecimal digits of a character"),
                    )
                    .at(span, "")
                    .help(
                        "write `\\\\` for a backslash, or put r before the string: r\"C:\\Users\"",
                    ),
                ),
            }
            return 1 + digits;
        }
        other => {
            // As Python does: the backslash stays. It also warns, since the next reader may not
            // know, and `"\d \b"` would be half right.
            found.push(
                Diagnostic::warning(
                    "unknown-escape",
                    format!("`\\{}` is no escape; the backslash stays", other.escape_debug()),
                )
                .at(Span::new(place, place + 1 + other.len_utf8()), "")
                .help("put r before the string, as in r\"\\d+\", or write `\\\\`"),
            );
            out.push('\\');
            other
        }
    };
    out.push(plain);
    c.len_utf8()
}

fn prefix_refused(prefix: &str, quoted: &str, span: Span) -> Option<Diagnostic> {
    let shown = if quoted.len() > 40 { "\"…\"" } else { quoted };
    let (message, help) = if prefix.contains(['f', 'F', 't', 'T']) {
        (
            "f-strings are not in the recipe language",
            "use env(\"NAME\") for a setting; options that are templates take {{ field }}".into(),
        )
    } else if prefix.contains(['b', 'B']) {
        ("byte strings are not in the recipe language", format!("write it without the b: {shown}"))
    } else if prefix.len() > 1 {
        ("this prefix is not known", format!("write it without it: {shown}"))
    } else {
        return None;
    };
    let place = Span::new(span.start as usize, span.start as usize + prefix.len());
    Some(Diagnostic::error("not-in-language", message).at(place, "").help(help))
}
