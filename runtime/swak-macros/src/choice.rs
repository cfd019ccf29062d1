//! Writes the code of `#[derive(Choice)]`.

use std::collections::HashMap;

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt as _;
use syn::{Data, DeriveInput, Fields, Ident, Variant};

use crate::model::{Errors, local};
use crate::{attrs, docs};

pub(crate) fn expand(input: &DeriveInput) -> syn::Result<TokenStream> {
    let variants = read(input)?;
    let ident = &input.ident;
    let variant_idents: Vec<_> = variants.iter().map(|v| &v.ident).collect();
    let names: Vec<_> = variants.iter().map(|v| &v.name).collect();
    let helps: Vec<_> = variants.iter().map(|v| &v.help).collect();
    let literal = local("literal");
    Ok(quote! {
        #[automatically_derived]
        impl ::swak_sdk::options::OptionValue for #ident {
            fn type_spec() -> ::swak_sdk::options::TypeSpec {
                ::swak_sdk::options::TypeSpec::Choice(::std::borrow::Cow::Borrowed(&[
                    #(::swak_sdk::options::ChoiceSpec {
                        name: ::std::borrow::Cow::Borrowed(#names),
                        help: ::std::borrow::Cow::Borrowed(#helps),
                    }),*
                ]))
            }

            fn read(
                #literal: &::swak_sdk::options::Literal,
            ) -> ::core::result::Result<Self, ::swak_sdk::options::OptionErrors> {
                ::swak_sdk::options::read_choice(
                    #literal,
                    [#((#names, #ident::#variant_idents)),*],
                )
            }
        }

        #[automatically_derived]
        impl ::swak_sdk::options::Choice for #ident {
            fn name(&self) -> &'static str {
                match self {
                    #(#ident::#variant_idents => #names,)*
                }
            }
        }
    })
}

struct Word {
    ident: Ident,
    name: String,
    help: String,
}

fn read(input: &DeriveInput) -> syn::Result<Vec<Word>> {
    let Data::Enum(data) = &input.data else {
        return Err(syn::Error::new(
            input.ident.span(),
            "a choice is an enum; for a struct of options, derive `Options`",
        ));
    };
    let mut errors = Errors::default();
    if !input.generics.params.is_empty() {
        errors.push(syn::Error::new_spanned(&input.generics, "a choice cannot be generic"));
    }
    if data.variants.is_empty() {
        errors.push(syn::Error::new(input.ident.span(), "a choice needs at least one word"));
    }
    let words: Vec<Word> =
        data.variants.iter().filter_map(|v| errors.take(read_variant(v))).collect();
    let mut seen: HashMap<String, &Ident> = HashMap::new();
    for word in &words {
        if let Some(first) = seen.insert(word.name.to_ascii_lowercase(), &word.ident) {
            errors.push(syn::Error::new(
                word.ident.span(),
                format!("`{first}` is written `{}` already; letter case does not count", word.name),
            ));
        }
    }
    errors.finish()?;
    Ok(words)
}

fn read_variant(variant: &Variant) -> syn::Result<Word> {
    let mut errors = Errors::default();
    if !matches!(variant.fields, Fields::Unit) {
        errors.push(syn::Error::new_spanned(
            &variant.fields,
            "a choice is one word: its variants hold nothing",
        ));
    }
    let given = errors.take(attrs::choice_name(&variant.attrs)).flatten();
    if let Some(given) = given.as_ref().filter(|g| g.value().trim().is_empty()) {
        errors.push(syn::Error::new(given.span(), "a word cannot be empty"));
    }
    let help = docs::doc_text(&variant.attrs).unwrap_or_else(|| {
        errors.push(syn::Error::new(
            variant.ident.span(),
            format!(
                "choice `{}` needs a doc comment: it is the word's help",
                variant.ident.unraw()
            ),
        ));
        String::new()
    });
    errors.finish()?;
    let name = given.map_or_else(|| snake_case(&variant.ident.unraw().to_string()), |g| g.value());
    Ok(Word { ident: variant.ident.clone(), name, help })
}

/// `DropOldest` → `drop_oldest`, `HTTPServer` → `http_server`, `Sha256` → `sha256`.
fn snake_case(camel: &str) -> String {
    let chars: Vec<char> = camel.chars().collect();
    let mut snake = String::new();
    for (i, &c) in chars.iter().enumerate() {
        if c.is_uppercase() {
            let after_lower = i > 0 && !chars[i - 1].is_uppercase() && chars[i - 1] != '_';
            let last_of_capitals = i > 0
                && chars[i - 1].is_uppercase()
                && chars.get(i + 1).is_some_and(|next| next.is_lowercase());
            if after_lower || last_of_capitals {
                snake.push('_');
            }
            snake.extend(c.to_lowercase());
        } else {
            snake.push(c);
        }
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::snake_case;

    #[test]
    fn variants_become_snake_case() {
        for (camel, snake) in [
            ("People", "people"),
            ("DropOldest", "drop_oldest"),
            ("HTTPServer", "http_server"),
            ("Sha256", "sha256"),
            ("Utf8Bom", "utf8_bom"),
            ("A", "a"),
        ] {
            assert_eq!(snake_case(camel), snake);
        }
    }
}
