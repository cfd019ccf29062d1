//! What a plain word of YAML means: the core schema of YAML 1.2.

use super::Value;

/// The value of an unquoted scalar.
pub(super) fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return Value::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => {
            return Value::Float(f64::INFINITY);
        }
        "-.inf" | "-.Inf" | "-.INF" => return Value::Float(f64::NEG_INFINITY),
        _ => {}
    }
    // Rust reads more than YAML does as a number (`inf`, `nan`, `+`), so that the first letter and
    // the alphabet are looked at before.
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return Value::Str(text.to_owned());
    }
    if digits.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse().map_or_else(|_| Value::Str(text.to_owned()), Value::Int);
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        // The schema has no sign before these.
        if let Some(rest) = text.strip_prefix(prefix)
            && rest.bytes().all(|b| b.is_ascii_hexdigit())
            && let Ok(n) = i64::from_str_radix(rest, radix)
        {
            return Value::Int(n);
        }
    }
    let float_letters = |b: u8| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-');
    if digits.bytes().all(float_letters)
        && digits.bytes().any(|b| b.is_ascii_digit())
        && let Ok(n) = text.parse::<f64>()
    {
        return Value::Float(n);
    }
    Value::Str(text.to_owned())
}
