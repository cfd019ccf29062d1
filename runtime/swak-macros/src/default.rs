//! The literal after `default =`, written in Rust and read as a recipe would write it.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::{Ident, Lit, LitStr, Token, braced, bracketed, token};

/// A default: what a recipe could have given.
pub(crate) struct Default {
    pub(crate) span: Span,
    pub(crate) value: Value,
}

pub(crate) enum Value {
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(String),
    List(Vec<Default>),
    Dict(Vec<(String, Default)>),
}

impl Default {
    /// An expression of the type `swak_sdk::options::Literal`.
    pub(crate) fn literal(&self) -> TokenStream {
        let value = match &self.value {
            Value::Bool(b) => quote!(Bool(#b)),
            Value::Int(n) => quote!(Int(#n)),
            Value::Float(n) => quote!(Float(#n)),
            Value::Str(s) => quote!(Str(::std::string::String::from(#s))),
            Value::List(items) => {
                let items = items.iter().map(Default::literal);
                quote!(List(::std::vec![#(#items),*]))
            }
            Value::Dict(entries) => {
                let entries = entries.iter().map(|(name, value)| {
                    let value = value.literal();
                    quote!((
                        ::swak_sdk::options::Key {
                            name: ::std::string::String::from(#name),
                            span: ::core::default::Default::default(),
                        },
                        #value
                    ))
                });
                quote!(Dict(::std::vec![#(#entries),*]))
            }
        };
        quote!(::swak_sdk::options::Literal::bare(::swak_sdk::options::LiteralValue::#value))
    }

    /// As a number, for comparing with a range.
    pub(crate) fn as_number(&self) -> Option<f64> {
        match self.value {
            Value::Int(n) => Some(n as f64),
            Value::Float(n) => Some(n),
            _ => None,
        }
    }
}

impl Parse for Default {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let span = input.span();
        let value = if input.peek(token::Bracket) {
            let inner;
            bracketed!(inner in input);
            let items = inner.parse_terminated(Default::parse, Token![,])?;
            Value::List(items.into_iter().collect())
        } else if input.peek(token::Brace) {
            let inner;
            braced!(inner in input);
            Value::Dict(parse_entries(&inner)?)
        } else if input.peek(Token![-]) || (input.peek(Lit) && !input.peek(LitStr)) {
            parse_scalar(input)?
        } else if input.peek(LitStr) {
            Value::Str(input.parse::<LitStr>()?.value())
        } else if input.peek(Ident) && input.fork().parse::<Ident>()? == "None" {
            return Err(syn::Error::new(
                span,
                "`None` is not a default; make the field an `Option`, which is `None` when left out",
            ));
        } else {
            return Err(not_a_literal(span));
        };
        // `"a".to_owned()` and `1 + 1` begin as literals but are not.
        if !input.is_empty() && !input.peek(Token![,]) {
            return Err(not_a_literal(span));
        }
        Ok(Default { span, value })
    }
}

fn not_a_literal(span: Span) -> syn::Error {
    syn::Error::new(
        span,
        "a default is a literal: a string, a number, `true`, `false`, a list `[…]` or a dict `{\"key\": …}`",
    )
}

fn parse_entries(input: ParseStream<'_>) -> syn::Result<Vec<(String, Default)>> {
    let mut entries: Vec<(String, Default)> = Vec::new();
    while !input.is_empty() {
        let key: LitStr = input.parse()?;
        if entries.iter().any(|(name, _)| *name == key.value()) {
            return Err(syn::Error::new(key.span(), "this key is given twice"));
        }
        input.parse::<Token![:]>()?;
        entries.push((key.value(), input.parse()?));
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    }
    Ok(entries)
}

fn parse_scalar(input: ParseStream<'_>) -> syn::Result<Value> {
    let minus: Option<Token![-]> = input.parse()?;
    let lit: Lit = input.parse()?;
    let sign = if minus.is_some() { "-" } else { "" };
    match &lit {
        // The digits are parsed with their sign, so that i64::MIN can be written.
        Lit::Int(n) => {
            Ok(Value::Int(format!("{sign}{}", n.base10_digits()).parse().map_err(|_| {
                syn::Error::new(n.span(), "a whole number in a recipe has 64 bits with a sign")
            })?))
        }
        Lit::Float(n) => {
            let number: f64 = n.base10_parse()?;
            Ok(Value::Float(if minus.is_some() { -number } else { number }))
        }
        Lit::Bool(b) if minus.is_none() => Ok(Value::Bool(b.value)),
        _ => Err(not_a_literal(lit.span())),
    }
}
