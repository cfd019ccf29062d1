//! The range after `range =`: `1..=65535`, `0.0..=1.0`, `1..`.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::{Lit, Token};

/// A closed range of numbers; an open end is the end of all numbers.
pub(crate) enum Range {
    Int { min: i64, max: i64 },
    Float { min: f64, max: f64 },
}

impl Range {
    /// The two bounds as expressions, and the method of `TypeSpec` that takes them.
    pub(crate) fn narrow(&self) -> TokenStream {
        match self {
            Range::Int { min, max } => quote!(narrowed_to_ints(#min, #max)),
            Range::Float { min, max } => {
                let (min, max) = (float(*min), float(*max));
                quote!(narrowed_to_floats(#min, #max))
            }
        }
    }

    pub(crate) fn contains(&self, number: f64) -> bool {
        match *self {
            Range::Int { min, max } => (min as f64..=max as f64).contains(&number),
            Range::Float { min, max } => (min..=max).contains(&number),
        }
    }
}

impl Parse for Range {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let span = input.span();
        let min = if input.peek(Token![..]) { None } else { Some(parse_bound(input)?) };
        let closed = if input.peek(Token![..=]) {
            input.parse::<Token![..=]>()?;
            true
        } else {
            input.parse::<Token![..]>().map_err(|_| not_a_range(span))?;
            false
        };
        let max = if input.is_empty() || input.peek(Token![,]) {
            None
        } else {
            Some(parse_bound(input)?)
        };
        if !closed && max.is_some() {
            return Err(syn::Error::new(span, "a range includes its end: write `..=`"));
        }
        let range = match (min, max) {
            (None, None) => return Err(not_a_range(span)),
            (Some(Bound::Float(_)), _) | (_, Some(Bound::Float(_))) => Range::Float {
                min: min.map_or(f64::NEG_INFINITY, Bound::float),
                max: max.map_or(f64::INFINITY, Bound::float),
            },
            (min, max) => Range::Int {
                min: min.and_then(Bound::int).unwrap_or(i64::MIN),
                max: max.and_then(Bound::int).unwrap_or(i64::MAX),
            },
        };
        let empty = match range {
            Range::Int { min, max } => min > max,
            Range::Float { min, max } => min > max,
        };
        if empty {
            return Err(syn::Error::new(span, "this range holds no number"));
        }
        Ok(range)
    }
}

#[derive(Clone, Copy)]
enum Bound {
    Int(i64),
    Float(f64),
}

impl Bound {
    fn float(self) -> f64 {
        match self {
            Bound::Int(n) => n as f64,
            Bound::Float(n) => n,
        }
    }

    fn int(self) -> Option<i64> {
        match self {
            Bound::Int(n) => Some(n),
            Bound::Float(_) => None,
        }
    }
}

fn parse_bound(input: ParseStream<'_>) -> syn::Result<Bound> {
    let span = input.span();
    let minus: Option<Token![-]> = input.parse()?;
    let sign = if minus.is_some() { "-" } else { "" };
    match input.parse::<Lit>().map_err(|_| not_a_range(span))? {
        Lit::Int(n) => format!("{sign}{}", n.base10_digits())
            .parse()
            .map(Bound::Int)
            .map_err(|_| syn::Error::new(n.span(), "a bound has 64 bits with a sign")),
        Lit::Float(n) => {
            let number: f64 = n.base10_parse()?;
            Ok(Bound::Float(if minus.is_some() { -number } else { number }))
        }
        _ => Err(not_a_range(span)),
    }
}

fn not_a_range(span: Span) -> syn::Error {
    syn::Error::new(span, "a range is written with numbers: `1..=65535`, `0.0..=1.0` or `1..`")
}

/// `quote` refuses infinite literals.
fn float(number: f64) -> TokenStream {
    if number == f64::INFINITY {
        quote!(::core::primitive::f64::INFINITY)
    } else if number == f64::NEG_INFINITY {
        quote!(::core::primitive::f64::NEG_INFINITY)
    } else {
        quote!(#number)
    }
}
