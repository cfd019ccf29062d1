//! What `#[derive(Options)]` understood of a struct, after every check that needs no types.

use std::collections::HashMap;

use proc_macro2::{Ident, Span};
use syn::ext::IdentExt as _;
use syn::{Data, DeriveInput, Fields, GenericArgument, PathArguments, Type};

use crate::attrs::{OptionAttrs, PluginAttrs};
use crate::docs;

/// A struct of options.
pub(crate) struct Model {
    pub(crate) ident: Ident,
    /// `None` for a struct that is the type of an option of another struct.
    pub(crate) plugin: Option<PluginAttrs>,
    /// The whole doc comment.
    pub(crate) help: String,
    pub(crate) options: Vec<Opt>,
}

/// A field.
pub(crate) struct Opt {
    pub(crate) ident: Ident,
    pub(crate) name: String,
    pub(crate) help: String,
    pub(crate) ty: Type,
    /// The type is an `Option`: left out, it is `None`.
    pub(crate) optional: bool,
    pub(crate) attrs: OptionAttrs,
}

impl Opt {
    pub(crate) fn required(&self) -> bool {
        !self.optional && self.attrs.default.is_none()
    }
}

impl Model {
    /// Reads the struct; the error holds every mistake.
    pub(crate) fn new(input: DeriveInput) -> syn::Result<Self> {
        let fields = fields(&input)?;
        let mut errors = Errors::default();
        if !input.generics.params.is_empty() {
            errors.push(syn::Error::new_spanned(
                &input.generics,
                "options cannot be generic: their types are shown to people as they are",
            ));
        }
        let plugin = errors.take(PluginAttrs::parse(&input.attrs)).flatten();
        let help = docs::doc_text(&input.attrs).unwrap_or_else(|| {
            errors.push(syn::Error::new(
                input.ident.span(),
                "a doc comment is missing: its first sentence is the summary, all of it the help",
            ));
            String::new()
        });
        let options = fields.into_iter().filter_map(|f| errors.take(option(f))).collect::<Vec<_>>();
        check_names(&options, &mut errors);
        check_positions(&options, plugin.is_some(), &mut errors);
        errors.finish()?;
        Ok(Model { ident: input.ident, plugin, help, options })
    }
}

/// Gathers errors, so that all of them are shown at once.
#[derive(Default)]
pub(crate) struct Errors(Option<syn::Error>);

impl Errors {
    pub(crate) fn push(&mut self, error: syn::Error) {
        match &mut self.0 {
            Some(all) => all.combine(error),
            None => self.0 = Some(error),
        }
    }

    pub(crate) fn take<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    pub(crate) fn finish(self) -> syn::Result<()> {
        self.0.map_or(Ok(()), Err)
    }
}

fn fields(input: &DeriveInput) -> syn::Result<Vec<syn::Field>> {
    let refused = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => return Ok(fields.named.iter().cloned().collect()),
            Fields::Unit => return Ok(Vec::new()),
            Fields::Unnamed(_) => "options need names: give the fields of this struct names",
        },
        Data::Enum(_) => {
            "options are a struct; for an enum of words that an option can have, derive `Choice`"
        }
        Data::Union(_) => "options are a struct",
    };
    Err(syn::Error::new(input.ident.span(), refused))
}

fn option(field: syn::Field) -> syn::Result<Opt> {
    let ident = field.ident.expect("the fields of this struct have names");
    let mut errors = Errors::default();
    let attrs = errors.take(OptionAttrs::parse(&field.attrs)).unwrap_or_default();
    let help = docs::doc_text(&field.attrs).unwrap_or_else(|| {
        errors.push(syn::Error::new(
            ident.span(),
            format!("option `{}` needs a doc comment: it is the option's help", ident.unraw()),
        ));
        String::new()
    });
    let optional = is_option(&field.ty);
    if let Some(default) = &attrs.default {
        if optional {
            errors.push(syn::Error::new(
                default.span,
                "an `Option` is `None` when left out; drop the default or the `Option`",
            ));
        }
        if let (Some(number), Some(range)) = (default.as_number(), &attrs.range)
            && !range.contains(number)
        {
            errors.push(syn::Error::new(default.span, "the default is outside the range"));
        }
    }
    errors.finish()?;
    let name = attrs.name.as_ref().map_or_else(|| ident.unraw().to_string(), |n| n.value());
    Ok(Opt { ident, name, help, ty: field.ty, optional, attrs })
}

fn check_names(options: &[Opt], errors: &mut Errors) {
    let mut seen: HashMap<&str, &Ident> = HashMap::new();
    for option in options {
        let span = option.attrs.name.as_ref().map_or(option.ident.span(), |n| n.span());
        if let Some(first) = seen.insert(&option.name, &option.ident) {
            errors.push(syn::Error::new(
                span,
                format!(
                    "the field `{}` has the option name `{}` already",
                    first.unraw(),
                    option.name
                ),
            ));
        }
    }
}

fn check_positions(options: &[Opt], is_plugin: bool, errors: &mut Errors) {
    let mut left_out: Option<&str> = None;
    let mut alone: Option<&str> = None;
    for option in options {
        let Some(span) = option.attrs.positional else { continue };
        if let (false, Some(first)) = (is_plugin, alone.replace(&option.name)) {
            let what = format!("a nested struct is a dict, or one value alone, which is `{first}`");
            errors.push(syn::Error::new(span, what));
            return;
        }
        match left_out {
            Some(before) if option.required() => errors.push(syn::Error::new(
                span,
                format!(
                    "`{}` must be given, but `{before}` before it may be left out; put it first",
                    option.name
                ),
            )),
            _ if !option.required() => left_out = Some(&option.name),
            _ => {}
        }
    }
}

/// `Option<T>`, by whatever path; a macro sees no types, so an alias of it is not found.
fn is_option(ty: &Type) -> bool {
    let Type::Path(path) = ty else { return false };
    let Some(last) = path.path.segments.last() else { return false };
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return false };
    last.ident == "Option"
        && arguments.args.len() == 1
        && matches!(arguments.args.first(), Some(GenericArgument::Type(_)))
}

/// A local name that no field of the author can meet.
pub(crate) fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}
