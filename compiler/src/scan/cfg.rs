//! `#[cfg(…)]`, as far as it can be answered without Cargo.

use syn::meta::ParseNestedMeta;
use syn::{Attribute, LitStr, Meta};

/// Whether an item is there when a library is compiled for this machine. What cannot be answered,
/// a feature for one, counts as yes.
pub(super) fn is_on(attrs: &[Attribute]) -> bool {
    attrs.iter().filter(|a| a.path().is_ident("cfg")).all(|attr| {
        let mut on = None;
        let read = attr.parse_nested_meta(|meta| {
            on = condition(&meta)?;
            Ok(())
        });
        read.is_err() || on.unwrap_or(true)
    })
}

/// `None`: not known.
fn condition(meta: &ParseNestedMeta<'_>) -> syn::Result<Option<bool>> {
    let name = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
    if meta.input.peek(syn::Token![=]) {
        let value: LitStr = meta.value()?.parse()?;
        let value = value.value();
        return Ok(match name.as_str() {
            "target_os" => Some(value == std::env::consts::OS),
            "target_arch" => Some(value == std::env::consts::ARCH),
            "target_family" => Some(value == std::env::consts::FAMILY),
            _ => None,
        });
    }
    if meta.input.peek(syn::token::Paren) {
        let mut parts = Vec::new();
        meta.parse_nested_meta(|inner| {
            parts.push(condition(&inner)?);
            Ok(())
        })?;
        let any = |wanted: bool| parts.contains(&Some(wanted));
        let known = parts.iter().all(Option::is_some);
        return Ok(match name.as_str() {
            "not" => parts.first().copied().flatten().map(|on| !on),
            "all" if any(false) => Some(false),
            "all" => known.then_some(true),
            "any" if any(true) => Some(true),
            "any" => known.then_some(false),
            _ => None,
        });
    }
    Ok(match name.as_str() {
        "test" | "doctest" | "doc" | "miri" => Some(false),
        "unix" => Some(cfg!(unix)),
        "windows" => Some(cfg!(windows)),
        _ => None,
    })
}

/// Whether the item derives this, also through `#[cfg_attr(…, derive(…))]`.
pub(super) fn derives(attrs: &[Attribute], wanted: &str) -> bool {
    let ends_so = |path: &syn::Path| path.segments.last().is_some_and(|s| s.ident == wanted);
    attrs.iter().filter(|a| a.path().is_ident("derive")).any(|attr| {
        let Meta::List(list) = &attr.meta else { return false };
        list.parse_args_with(
            syn::punctuated::Punctuated::<syn::Path, syn::Token![,]>::parse_terminated,
        )
        .is_ok_and(|paths| paths.iter().any(ends_so))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(cfg: &str) -> bool {
        let item: syn::ItemStruct =
            syn::parse_str(&format!("#[cfg({cfg})] struct S;")).expect("a struct");
        is_on(&item.attrs)
    }

    #[test]
    fn conditions_are_answered_for_this_machine() {
        assert!(!on("test"));
        assert!(!on("all(unix, windows)"));
        assert!(on("any(unix, windows)"));
        assert!(on("not(test)"));
        assert!(on(&format!("target_os = \"{}\"", std::env::consts::OS)));
        assert!(!on("target_os = \"none\""));
    }

    #[test]
    fn what_is_not_known_counts_as_there() {
        assert!(on("feature = \"gz\""));
        assert!(on("not(feature = \"gz\")"));
        assert!(on("all(feature = \"gz\", not(test))"));
        assert!(!on("all(feature = \"gz\", test)"));
        assert!(on("some nonsense"));
    }
}
