//! Derive macros of swak-sdk: typed plugin options from a struct.

mod attrs;
mod choice;
mod default;
mod docs;
mod model;
mod options;
mod range;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Options
#[proc_macro_derive(Options, attributes(plugin, option))]
pub fn derive_options(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    model::Model::new(input)
        .map(|model| options::expand(&model))
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Choice
#[proc_macro_derive(Choice, attributes(choice))]
pub fn derive_choice(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    choice::expand(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}
