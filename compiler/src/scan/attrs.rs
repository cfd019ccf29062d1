//! The attributes `#[plugin(…)]`, `#[option(…)]` and `#[choice(…)]`.
//!
//! A key that is not known here is stepped over: a newer macro may know it.

use swak_sdk::options::{Kind, Literal};
use syn::meta::ParseNestedMeta;
use syn::{Attribute, LitStr};

use super::literal::{Default, Range};

/// `#[plugin(input, name = "FileTailing")]`
pub(super) fn plugin(attrs: &[Attribute]) -> Option<(Kind, String)> {
    let (mut kind, mut name) = (None, None);
    each(attrs, "plugin", |key, meta| {
        match key {
            "input" => kind = Some(Kind::Input),
            "transform" => kind = Some(Kind::Transform),
            "output" => kind = Some(Kind::Output),
            "name" => name = Some(meta.value()?.parse::<LitStr>()?.value()),
            _ => skip(meta)?,
        }
        Ok(())
    });
    Some((kind?, name?))
}

/// `#[option(…)]`, all of them on one field together.
#[derive(std::default::Default)]
pub(super) struct OptionAttrs {
    pub(super) name: Option<String>,
    pub(super) positional: bool,
    pub(super) default: Option<Literal>,
    pub(super) range: Option<Range>,
    pub(super) secret: bool,
}

impl OptionAttrs {
    pub(super) fn read(attrs: &[Attribute]) -> Self {
        let mut read = OptionAttrs::default();
        each(attrs, "option", |key, meta| {
            match key {
                "name" => read.name = Some(meta.value()?.parse::<LitStr>()?.value()),
                "positional" => read.positional = true,
                "secret" => read.secret = true,
                "default" => read.default = Some(meta.value()?.parse::<Default>()?.0),
                "range" => read.range = Some(meta.value()?.parse()?),
                _ => skip(meta)?,
            }
            Ok(())
        });
        read
    }
}

/// `#[choice(name = "…")]`
pub(super) fn choice_name(attrs: &[Attribute]) -> Option<String> {
    let mut name = None;
    each(attrs, "choice", |key, meta| {
        match key {
            "name" => name = Some(meta.value()?.parse::<LitStr>()?.value()),
            _ => skip(meta)?,
        }
        Ok(())
    });
    name
}

/// Reads the keys of every attribute of that name. What does not parse ends its attribute: the
/// macro will say why.
fn each(
    attrs: &[Attribute],
    name: &str,
    mut read: impl FnMut(&str, &ParseNestedMeta<'_>) -> syn::Result<()>,
) {
    for attr in attrs.iter().filter(|a| a.path().is_ident(name)) {
        let ended = attr.parse_nested_meta(|meta| {
            let key = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
            read(&key, &meta)
        });
        drop(ended);
    }
}

fn skip(meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
    while !meta.input.is_empty() && !meta.input.peek(syn::Token![,]) {
        meta.input.parse::<proc_macro2::TokenTree>()?;
    }
    Ok(())
}
