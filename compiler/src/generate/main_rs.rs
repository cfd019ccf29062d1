//! The generated `src/main.rs`: where the plugins meet, each registered by name.
//!
//! A crate that is only listed in `Cargo.toml` is not linked, so there is no other way in.

use quote::quote;

use super::recipe_file;
use crate::resolve::Plan;

/// Writes the source; it was parsed again before it is returned.
pub(super) fn generate(plan: &Plan) -> String {
    let title = format!(" The agent `{}`, written by swak-makebuild.", plan.name.package());
    let package = plan.name.package();
    let recipe = match &plan.recipe {
        Some(recipe) => {
            let name = recipe.path.file_name().map(|n| n.to_string_lossy()).unwrap_or_default();
            let path = format!("../{}", recipe_file(&recipe.path));
            quote! { Some(swak_agent::EmbeddedRecipe { name: #name, text: include_str!(#path) }) }
        }
        None => quote! { None },
    };
    let adds = plan.plugins.iter().map(|plugin| {
        let name = plugin.name.as_str();
        let version = plugin.version.as_ref().expect("Cargo has told the versions that were open");
        let version = version.to_string();
        let krate = plugin.name.ident();
        quote! { plugins.add_crate(#name, #version, #krate::register); }
    });
    let plugins = if plan.plugins.is_empty() {
        quote! { _ }
    } else {
        quote! { plugins }
    };
    let tokens = quote! {
        #![doc = #title]

        fn main() -> std::process::ExitCode {
            swak_agent::main(
                swak_agent::About {
                    name: #package,
                    version: env!("CARGO_PKG_VERSION"),
                    recipe: #recipe,
                    facts: include_str!(concat!(env!("OUT_DIR"), "/facts.txt")),
                },
                |#plugins| { #(#adds)* },
            )
        }
    };
    let file = syn::parse2(tokens).expect("the generated main.rs is Rust");
    let text = prettyplease::unparse(&file);
    let again = syn::parse_file(&text).expect("the formatted main.rs is Rust");
    assert!(prettyplease::unparse(&again) == text, "the formatted main.rs reads as it was meant");
    text
}
