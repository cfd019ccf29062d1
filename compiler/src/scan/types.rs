//! Declared structs and enums to specs.

use std::cell::Cell;
use std::path::PathBuf;
use std::time::Duration;

use swak_sdk::options::{
    Address, ByteSize, ChoiceSpec, Expr, FieldPath, Glob, OptionSpec, OptionValue, Pattern,
    PluginSpec, Secret, Template, TimeZone, TypeSpec,
};
use syn::ext::IdentExt as _;
use syn::{Field, Fields, GenericArgument, Item, ItemEnum, ItemStruct, PathArguments, Type};

use super::attrs::{self, OptionAttrs};
use super::files::Declared;
use super::names::Names;
use super::own::{self, OwnTypes};
use super::{Scanned, cfg, docs};

/// How deep structs of options may stand in each other; a struct that holds itself has no end.
const DEEPEST: usize = 16;
/// The most options of one crate that are read.
const MOST_OPTIONS: usize = 100_000;

/// The plugins that are declared.
pub(super) fn specs(items: &[Declared]) -> Scanned {
    let names = Names::new(items);
    let own = own::implementations(items, &names);
    let world = World { names, own, left: Cell::new(MOST_OPTIONS) };
    let plugins = items
        .iter()
        .filter_map(|declared| match &declared.item {
            Item::Struct(item) => world.plugin(item, &declared.module),
            _ => None,
        })
        .collect();
    Scanned { plugins, gaps: Vec::new() }
}

struct World<'a> {
    names: Names<'a>,
    /// The option types that read themselves.
    own: OwnTypes<'a>,
    /// How many options may still be read.
    left: Cell<usize>,
}

impl World<'_> {
    fn plugin(&self, item: &ItemStruct, module: &[String]) -> Option<PluginSpec> {
        if !cfg::derives(&item.attrs, "Options") || !cfg::is_on(&item.attrs) {
            return None;
        }
        let (kind, name) = attrs::plugin(&item.attrs)?;
        let help = docs::text(&item.attrs);
        Some(PluginSpec {
            kind,
            name: name.into(),
            summary: docs::summary(&help).into(),
            help: help.into(),
            options: self.options(&item.fields, module, 0).into(),
        })
    }

    fn options(&self, fields: &Fields, module: &[String], depth: usize) -> Vec<OptionSpec> {
        fields.iter().filter_map(|field| self.option(field, module, depth)).collect()
    }

    fn option(&self, field: &Field, module: &[String], depth: usize) -> Option<OptionSpec> {
        let ident = field.ident.as_ref()?;
        if !cfg::is_on(&field.attrs) {
            return None;
        }
        self.left.set(self.left.get().checked_sub(1)?);
        let read = OptionAttrs::read(&field.attrs);
        let (mut ty, secret) = self.type_spec(&field.ty, module, depth);
        let optional = matches!(ty, TypeSpec::Optional(_));
        if let Some(range) = &read.range {
            ty = range.narrow(ty);
        }
        Some(OptionSpec {
            name: read.name.unwrap_or_else(|| ident.unraw().to_string()).into(),
            help: docs::text(&field.attrs).into(),
            ty,
            required: !optional && read.default.is_none(),
            positional: read.positional,
            default: read.default.map(|d| d.to_string().into()),
            secret: read.secret || secret,
        })
    }

    /// What a type takes, and whether it is secret by itself.
    fn type_spec(&self, ty: &Type, module: &[String], depth: usize) -> (TypeSpec, bool) {
        let anything = (TypeSpec::Any, false);
        let Type::Path(path) = ty else { return anything };
        let Some(last) = path.path.segments.last() else { return anything };
        if depth > DEEPEST {
            return anything;
        }
        let inner = generic_arguments(&last.arguments);
        let name = last.ident.unraw().to_string();
        match (name.as_str(), inner.as_slice()) {
            ("Option", [inner]) => {
                let (spec, secret) = self.type_spec(inner, module, depth + 1);
                (TypeSpec::Optional(Box::new(spec)), secret)
            }
            ("Vec", [inner]) => {
                let (spec, secret) = self.type_spec(inner, module, depth + 1);
                (TypeSpec::List(Box::new(spec)), secret)
            }
            // A wrapper that keeps the place of a value, for messages.
            ("Placed", [inner]) => self.type_spec(inner, module, depth + 1),
            ("BTreeMap", [_, inner]) | ("Dict" | "PathDict", [inner]) => {
                let (spec, secret) = self.type_spec(inner, module, depth + 1);
                (TypeSpec::Dict(Box::new(spec)), secret)
            }
            (_, []) => match self.names.find(&path.path, module) {
                Some(declared) => (self.declared_spec(declared, depth + 1), false),
                None => known(&name).unwrap_or(anything),
            },
            _ => anything,
        }
    }

    fn declared_spec(&self, declared: &Declared, depth: usize) -> TypeSpec {
        match &declared.item {
            Item::Struct(item) if cfg::derives(&item.attrs, "Options") => {
                TypeSpec::Struct(self.options(&item.fields, &declared.module, depth).into())
            }
            Item::Enum(item) if cfg::derives(&item.attrs, "Choice") => choice(item),
            Item::Type(item) => self.type_spec(&item.ty, &declared.module, depth).0,
            _ => match self.own.of(declared) {
                Some((block, module)) => {
                    own::spec(block, &|ty| self.type_spec(ty, module, depth + 1).0)
                }
                None => TypeSpec::Any,
            },
        }
    }
}

/// The types of `swak-sdk` and of the standard library, asked for their own specs.
pub(super) fn known(name: &str) -> Option<(TypeSpec, bool)> {
    fn of<T: OptionValue>() -> Option<(TypeSpec, bool)> {
        Some((T::type_spec(), T::SECRET))
    }
    match name {
        "bool" => of::<bool>(),
        "i8" => of::<i8>(),
        "i16" => of::<i16>(),
        "i32" => of::<i32>(),
        "i64" => of::<i64>(),
        "isize" => of::<isize>(),
        "u8" => of::<u8>(),
        "u16" => of::<u16>(),
        "u32" => of::<u32>(),
        "u64" => of::<u64>(),
        "usize" => of::<usize>(),
        "f64" => of::<f64>(),
        "char" => of::<char>(),
        "String" => of::<String>(),
        "PathBuf" => of::<PathBuf>(),
        "Duration" => of::<Duration>(),
        "ByteSize" => of::<ByteSize>(),
        "TimeZone" => of::<TimeZone>(),
        "Secret" => of::<Secret>(),
        "Pattern" => of::<Pattern>(),
        "Address" => of::<Address>(),
        "FieldPath" => of::<FieldPath>(),
        "Glob" => of::<Glob>(),
        "Expr" => of::<Expr>(),
        "Template" => of::<Template>(),
        _ => None,
    }
}

fn choice(item: &ItemEnum) -> TypeSpec {
    let words = item.variants.iter().map(|variant| ChoiceSpec {
        name: attrs::choice_name(&variant.attrs)
            .unwrap_or_else(|| snake_case(&variant.ident.unraw().to_string()))
            .into(),
        help: docs::text(&variant.attrs).into(),
    });
    TypeSpec::Choice(words.collect::<Vec<_>>().into())
}

/// `DropOldest` → `drop_oldest`, `HTTPServer` → `http_server`: as the macro does it.
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

fn generic_arguments(arguments: &PathArguments) -> Vec<&Type> {
    match arguments {
        PathArguments::AngleBracketed(list) => list
            .args
            .iter()
            .filter_map(|argument| match argument {
                GenericArgument::Type(ty) => Some(ty),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}
