//! Writes the code of `#[derive(Options)]`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;

use crate::docs;
use crate::model::{Model, Opt, local};

pub(crate) fn expand(model: &Model) -> TokenStream {
    let ident = &model.ident;
    let specs = model.options.iter().map(option_spec);
    let implementation = match &model.plugin {
        Some(_) => plugin_impl(model),
        None => nested_impl(model),
    };
    let test = defaults_test(model);
    let own_names = own_names(model);
    quote! {
        #(#own_names)*
        const _: () = {
            impl #ident {
                #[doc(hidden)]
                fn __swak_option_specs() -> ::std::vec::Vec<::swak_sdk::options::OptionSpec> {
                    ::std::vec![#(#specs),*]
                }
            }
            #implementation
        };
        #test
    }
}

fn plugin_impl(model: &Model) -> TokenStream {
    let ident = &model.ident;
    let plugin = model.plugin.as_ref().expect("only plugins are written here");
    let (kind, name, help) = (&plugin.kind, &plugin.name, &model.help);
    let summary = docs::summary(help);
    let (args, specs, reader) = (local("args"), local("specs"), local("reader"));
    let body = read_fields(model);
    quote! {
        #[automatically_derived]
        impl ::swak_sdk::options::Options for #ident {
            fn spec() -> ::swak_sdk::options::PluginSpec {
                ::swak_sdk::options::PluginSpec {
                    kind: ::swak_sdk::options::Kind::#kind,
                    name: ::std::borrow::Cow::Borrowed(#name),
                    summary: ::std::borrow::Cow::Borrowed(#summary),
                    help: ::std::borrow::Cow::Borrowed(#help),
                    options: ::std::borrow::Cow::Owned(Self::__swak_option_specs()),
                }
            }

            fn read(
                #args: &::swak_sdk::options::Args,
            ) -> ::core::result::Result<Self, ::swak_sdk::options::OptionErrors> {
                let #specs = Self::__swak_option_specs();
                let mut #reader = ::swak_sdk::options::OptionReader::from_args(#args, &#specs);
                #body
            }
        }
    }
}

fn nested_impl(model: &Model) -> TokenStream {
    let ident = &model.ident;
    let (literal, specs, reader) = (local("literal"), local("specs"), local("reader"));
    let body = read_fields(model);
    quote! {
        #[automatically_derived]
        impl ::swak_sdk::options::OptionValue for #ident {
            fn type_spec() -> ::swak_sdk::options::TypeSpec {
                ::swak_sdk::options::TypeSpec::Struct(
                    ::std::borrow::Cow::Owned(Self::__swak_option_specs()),
                )
            }

            fn read(
                #literal: &::swak_sdk::options::Literal,
            ) -> ::core::result::Result<Self, ::swak_sdk::options::OptionErrors> {
                let #specs = Self::__swak_option_specs();
                let mut #reader =
                    ::swak_sdk::options::OptionReader::from_literal(#literal, &#specs);
                #body
            }
        }
    }
}

/// The `OptionSpec` of a field.
fn option_spec(option: &Opt) -> TokenStream {
    let (name, help, ty) = (&option.name, &option.help, &option.ty);
    let required = option.required();
    let positional = option.attrs.positional.is_some();
    // Errors about the type ("cannot be the type of an option") are shown at the type.
    let mut type_spec = quote_spanned! {ty.span()=>
        <#ty as ::swak_sdk::options::OptionValue>::type_spec()
    };
    if let Some(range) = &option.attrs.range {
        let narrow = range.narrow();
        type_spec = quote_spanned! {ty.span()=>
            <#ty as ::swak_sdk::options::Ranged>::ranged_spec().#narrow
        };
    }
    let default = match &option.attrs.default {
        Some(default) => {
            let literal = default.literal();
            quote! {
                ::core::option::Option::Some(::std::borrow::Cow::Owned(
                    ::std::string::ToString::to_string(&#literal),
                ))
            }
        }
        None => quote!(::core::option::Option::None),
    };
    let secret = if option.attrs.secret {
        quote!(true)
    } else {
        quote_spanned!(ty.span()=> <#ty as ::swak_sdk::options::OptionValue>::SECRET)
    };
    quote! {
        ::swak_sdk::options::OptionSpec {
            name: ::std::borrow::Cow::Borrowed(#name),
            help: ::std::borrow::Cow::Borrowed(#help),
            ty: #type_spec,
            required: #required,
            positional: #positional,
            default: #default,
            secret: #secret,
        }
    }
}

/// Takes every field from the reader, then ends the reading: all mistakes come at once.
fn read_fields(model: &Model) -> TokenStream {
    let reader = local("reader");
    let locals: Vec<_> = (0..model.options.len()).map(|i| local(&format!("field_{i}"))).collect();
    let fields: Vec<_> = model.options.iter().map(|o| &o.ident).collect();
    let takes = model.options.iter().map(|option| take(option, &reader));
    let mutability = if model.options.is_empty() {
        // Without fields nothing is taken, and `mut` would be for nothing.
        quote!(let _ = &mut #reader;)
    } else {
        quote!()
    };
    quote! {
        #mutability
        #(let #locals = #takes;)*
        #reader.finish()?;
        ::core::result::Result::Ok(Self {
            #(#fields: #locals.expect("a field without a value has noted an error"),)*
        })
    }
}

fn take(option: &Opt, reader: &proc_macro2::Ident) -> TokenStream {
    let (name, ty) = (&option.name, &option.ty);
    if let Some(default) = &option.attrs.default {
        let literal = default.literal();
        quote!(#reader.or_default_literal::<#ty>(#name, &#literal))
    } else if option.optional {
        quote! {
            #reader.or_default::<#ty>(#name, || ::core::option::Option::None)
        }
    } else {
        quote!(#reader.required::<#ty>(#name))
    }
}

/// An output has options that are the engine's; one of its own of the same name would never be read.
fn own_names(model: &Model) -> Vec<TokenStream> {
    if model.plugin.as_ref().is_none_or(|plugin| plugin.kind != "Output") {
        return Vec::new();
    }
    let refuse = |option: &Opt| {
        let name = &option.name;
        let message = format!("every output has an option `{name}`: this one needs another name");
        let span = option.attrs.name.as_ref().map_or(option.ident.span(), |name| name.span());
        quote_spanned! {span=>
            const _: () = ::core::assert!(
                !::swak_sdk::options::DeliveryOptions::is_name(#name),
                #message
            );
        }
    };
    model.options.iter().map(refuse).collect()
}

/// A default that its own type refuses is a mistake of the author; this test finds it before a
/// user does.
fn defaults_test(model: &Model) -> TokenStream {
    let mut with_default = model.options.iter().filter(|o| o.attrs.default.is_some()).peekable();
    if with_default.peek().is_none() {
        return TokenStream::new();
    }
    let ident = &model.ident;
    let reader = local("reader");
    let name = format_ident!("defaults_of_{}_can_be_read", ident, span = ident.span());
    let takes = with_default.map(|option| take(option, &reader));
    quote! {
        #[cfg(test)]
        #[test]
        #[allow(non_snake_case, unnameable_test_items)]
        fn #name() {
            let args = ::core::default::Default::default();
            let specs = #ident::__swak_option_specs();
            let mut #reader = ::swak_sdk::options::OptionReader::from_args(&args, &specs);
            #(let _ = #takes;)*
        }
    }
}
