//! The attributes `#[plugin(…)]`, `#[option(…)]` and `#[choice(…)]`.

use proc_macro2::{Ident, Span};
use syn::meta::ParseNestedMeta;
use syn::{Attribute, LitStr};

use crate::default::Default;
use crate::range::Range;

/// `#[plugin(input, name = "FileTailing")]`
pub(crate) struct PluginAttrs {
    /// The variant of `swak_sdk::options::Kind`.
    pub(crate) kind: Ident,
    pub(crate) name: String,
}

/// `#[option(…)]`, all of them on one field together.
#[derive(std::default::Default)]
pub(crate) struct OptionAttrs {
    pub(crate) name: Option<LitStr>,
    pub(crate) positional: Option<Span>,
    pub(crate) default: Option<Default>,
    pub(crate) range: Option<Range>,
    pub(crate) secret: bool,
}

impl PluginAttrs {
    /// `None` if there is no `#[plugin]`: the struct is nested in another one.
    pub(crate) fn parse(attrs: &[Attribute]) -> syn::Result<Option<Self>> {
        let mut found = attrs.iter().filter(|a| a.path().is_ident("plugin"));
        let Some(attr) = found.next() else { return Ok(None) };
        if let Some(second) = found.next() {
            return Err(syn::Error::new_spanned(second, "`#[plugin]` is given twice"));
        }
        let mut kind: Option<Ident> = None;
        let mut name: Option<LitStr> = None;
        attr.parse_nested_meta(|meta| {
            let variant = match key(&meta).as_str() {
                "input" => "Input",
                "transform" => "Transform",
                "output" => "Output",
                "name" => return set(&mut name, &meta, |v| v.parse()),
                other => {
                    return Err(meta.error(format!(
                        "unknown key `{other}`, the keys are: input, transform, output, name"
                    )));
                }
            };
            if kind.is_some() {
                return Err(meta.error("a plugin has one kind"));
            }
            kind = Some(Ident::new(variant, Span::mixed_site()));
            Ok(())
        })?;
        let kind = kind.ok_or_else(|| {
            syn::Error::new_spanned(attr, "the kind is missing: write input, transform or output")
        })?;
        let name = name.ok_or_else(|| {
            syn::Error::new_spanned(
                attr,
                "the name is missing: write name = \"…\", as recipes will write it after `in.` or `out.`",
            )
        })?;
        check_name(&name)?;
        Ok(Some(PluginAttrs { kind, name: name.value() }))
    }
}

impl OptionAttrs {
    pub(crate) fn parse(attrs: &[Attribute]) -> syn::Result<Self> {
        let mut parsed = OptionAttrs::default();
        for attr in attrs.iter().filter(|a| a.path().is_ident("option")) {
            attr.parse_nested_meta(|meta| match key(&meta).as_str() {
                "name" => {
                    set(&mut parsed.name, &meta, |v| v.parse())?;
                    parsed.name.as_ref().map_or(Ok(()), check_name)
                }
                "default" => set(&mut parsed.default, &meta, |v| v.parse()),
                "range" => set(&mut parsed.range, &meta, |v| v.parse()),
                "positional" if parsed.positional.is_some() => Err(twice(&meta)),
                "positional" => {
                    parsed.positional = Some(span(&meta));
                    Ok(())
                }
                "secret" if parsed.secret => Err(twice(&meta)),
                "secret" => {
                    parsed.secret = true;
                    Ok(())
                }
                other => Err(meta.error(format!(
                    "unknown key `{other}`, the keys are: name, positional, default, range, secret"
                ))),
            })?;
        }
        Ok(parsed)
    }
}

/// The name in `#[choice(name = "…")]`.
pub(crate) fn choice_name(attrs: &[Attribute]) -> syn::Result<Option<LitStr>> {
    let mut name = None;
    for attr in attrs.iter().filter(|a| a.path().is_ident("choice")) {
        attr.parse_nested_meta(|meta| match key(&meta).as_str() {
            "name" => set(&mut name, &meta, |v| v.parse()),
            other => Err(meta.error(format!("unknown key `{other}`, the only key is: name"))),
        })?;
    }
    Ok(name)
}

/// Recipes write names of plugins and options as Python writes them.
pub(crate) fn check_name(name: &LitStr) -> syn::Result<()> {
    let text = name.value();
    let fits = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if fits {
        Ok(())
    } else {
        Err(syn::Error::new(
            name.span(),
            "a name begins with a letter and holds only letters, digits and `_`",
        ))
    }
}

fn key(meta: &ParseNestedMeta<'_>) -> String {
    let path: Vec<String> = meta.path.segments.iter().map(|s| s.ident.to_string()).collect();
    path.join("::")
}

fn span(meta: &ParseNestedMeta<'_>) -> Span {
    meta.path.segments.first().map_or_else(Span::call_site, |s| s.ident.span())
}

fn twice(meta: &ParseNestedMeta<'_>) -> syn::Error {
    meta.error(format!("`{}` is given twice", key(meta)))
}

/// Reads what stands after `=`, once.
fn set<T>(
    place: &mut Option<T>,
    meta: &ParseNestedMeta<'_>,
    parse: impl FnOnce(syn::parse::ParseStream<'_>) -> syn::Result<T>,
) -> syn::Result<()> {
    if place.is_some() {
        return Err(twice(meta));
    }
    *place = Some(parse(meta.value()?)?);
    Ok(())
}
