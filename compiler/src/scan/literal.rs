//! The literals of `default = …` and `range = …`, as the macro reads them.

use swak_sdk::options::{Key, Literal, LiteralValue, Span, TypeSpec};
use syn::parse::{Parse, ParseStream};
use syn::{Lit, LitStr, Token, braced, bracketed, token};

/// `"1m"`, `5`, `-1.5`, `true`, `["a"]`, `{"key": 1}`
pub(super) struct Default(pub(super) Literal);

impl Parse for Default {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let value = if input.peek(token::Bracket) {
            let inner;
            bracketed!(inner in input);
            let items = inner.parse_terminated(Default::parse, Token![,])?;
            LiteralValue::List(items.into_iter().map(|d| d.0).collect())
        } else if input.peek(token::Brace) {
            let inner;
            braced!(inner in input);
            let entries = inner.parse_terminated(entry, Token![,])?;
            LiteralValue::Dict(entries.into_iter().collect())
        } else {
            scalar(input)?
        };
        Ok(Default(Literal::bare(value)))
    }
}

/// A closed range; an open end is the end of all numbers.
pub(super) enum Range {
    Int { min: i64, max: i64 },
    Float { min: f64, max: f64 },
}

impl Range {
    /// The numbers of a type that are also in the range.
    pub(super) fn narrow(&self, spec: TypeSpec) -> TypeSpec {
        match *self {
            Range::Int { min, max } => spec.narrowed_to_ints(min, max),
            Range::Float { min, max } => spec.narrowed_to_floats(min, max),
        }
    }
}

impl Parse for Range {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let min = if input.peek(Token![..]) { None } else { Some(scalar(input)?) };
        if input.peek(Token![..=]) {
            input.parse::<Token![..=]>()?;
        } else {
            input.parse::<Token![..]>()?;
        }
        let open = input.is_empty() || input.peek(Token![,]);
        let max = if open { None } else { Some(scalar(input)?) };
        let is_float = |bound: &Option<LiteralValue>| matches!(bound, Some(LiteralValue::Float(_)));
        Ok(if is_float(&min) || is_float(&max) {
            Range::Float {
                min: min.as_ref().and_then(float).unwrap_or(f64::NEG_INFINITY),
                max: max.as_ref().and_then(float).unwrap_or(f64::INFINITY),
            }
        } else {
            Range::Int {
                min: min.as_ref().and_then(int).unwrap_or(i64::MIN),
                max: max.as_ref().and_then(int).unwrap_or(i64::MAX),
            }
        })
    }
}

fn entry(input: ParseStream<'_>) -> syn::Result<(Key, Literal)> {
    let name: LitStr = input.parse()?;
    input.parse::<Token![:]>()?;
    let value: Default = input.parse()?;
    Ok((Key { name: name.value(), span: Span::default() }, value.0))
}

fn scalar(input: ParseStream<'_>) -> syn::Result<LiteralValue> {
    let minus: Option<Token![-]> = input.parse()?;
    let sign = if minus.is_some() { "-" } else { "" };
    let lit: Lit = input.parse()?;
    let refused = || syn::Error::new(lit.span(), "not a literal that a recipe could have");
    match &lit {
        Lit::Int(n) => format!("{sign}{}", n.base10_digits())
            .parse()
            .map(LiteralValue::Int)
            .map_err(|_| refused()),
        Lit::Float(n) => {
            let n: f64 = n.base10_parse()?;
            Ok(LiteralValue::Float(if minus.is_some() { -n } else { n }))
        }
        Lit::Bool(b) if minus.is_none() => Ok(LiteralValue::Bool(b.value)),
        Lit::Str(s) if minus.is_none() => Ok(LiteralValue::Str(s.value())),
        _ => Err(refused()),
    }
}

fn float(bound: &LiteralValue) -> Option<f64> {
    match bound {
        LiteralValue::Int(n) => Some(*n as f64),
        LiteralValue::Float(n) => Some(*n),
        _ => None,
    }
}

fn int(bound: &LiteralValue) -> Option<i64> {
    match bound {
        LiteralValue::Int(n) => Some(*n),
        _ => None,
    }
}
