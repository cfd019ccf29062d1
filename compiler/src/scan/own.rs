//! Option types that read themselves: `impl OptionValue for Encoding`.
//!
//! Their `type_spec` is mostly one expression that says all. Words such as `Encoding` in it tell
//! people what a text stands for; which texts are good, only the type's own code knows. So a text is
//! held to such a word only where that code begins with the reader of the SDK that checks it.

use std::collections::HashMap;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;
use swak_sdk::options::{TextKind, TypeSpec};
use syn::{Expr, ImplItem, ImplItemFn, Item, ItemImpl, Path, Stmt, Type, TypePath};

use super::files::Declared;
use super::names::Names;
use super::{cfg, types};

/// Whether this implements the trait of option types for a type of the crate.
pub(super) fn is_option_type(block: &ItemImpl) -> bool {
    let of = block.trait_.as_ref().and_then(|(path, _)| path.segments.last());
    of.is_some_and(|last| last.ident == "OptionValue")
        && block.generics.params.is_empty()
        && cfg::is_on(&block.attrs)
}

/// The implementations of a crate, by the types that they are for.
pub(super) struct OwnTypes<'a>(HashMap<*const Declared, &'a Declared>);

/// Finds the type of each implementation.
pub(super) fn implementations<'a>(items: &'a [Declared], names: &Names<'a>) -> OwnTypes<'a> {
    let of = |declared: &'a Declared| {
        let Item::Impl(block) = &declared.item else { return None };
        let Type::Path(path) = block.self_ty.as_ref() else { return None };
        let ty = names.find(&path.path, &declared.module)?;
        Some((std::ptr::from_ref(ty), declared))
    };
    OwnTypes(items.iter().filter_map(of).collect())
}

impl<'a> OwnTypes<'a> {
    /// The implementation for a type, and the module that it stands in.
    pub(super) fn of(&self, ty: &Declared) -> Option<(&'a ItemImpl, &'a [String])> {
        let declared = self.0.get(&std::ptr::from_ref(ty))?;
        match &declared.item {
            Item::Impl(block) => Some((block, &declared.module)),
            _ => None,
        }
    }
}

/// What an implementation says that its values are; anything where that is not plain to read.
pub(super) fn spec(block: &ItemImpl, of_type: &dyn Fn(&Type) -> TypeSpec) -> TypeSpec {
    let function = |name: &str| -> Option<&ImplItemFn> {
        block.items.iter().find_map(|item| match item {
            ImplItem::Fn(function) if function.sig.ident == name => Some(function),
            _ => None,
        })
    };
    let Some([Stmt::Expr(said, None)]) = function("type_spec").map(|f| f.block.stmts.as_slice())
    else {
        return TypeSpec::Any;
    };
    let mut readers = Vec::new();
    if let Some(read) = function("read") {
        find_readers(read.block.to_token_stream(), &mut readers);
    }
    evaluate(said, &|kind| held_to(kind, &readers), of_type)
}

fn evaluate(
    said: &Expr,
    text: &dyn Fn(TextKind) -> TypeSpec,
    of_type: &dyn Fn(&Type) -> TypeSpec,
) -> TypeSpec {
    match said {
        Expr::Path(path) if ends_in(&path.path, "TypeSpec", "Bool") => TypeSpec::Bool,
        Expr::Call(call) => {
            let Expr::Path(callee) = call.func.as_ref() else { return TypeSpec::Any };
            let called = |variant: &str| ends_in(&callee.path, "TypeSpec", variant);
            let inner = || match call.args.first() {
                Some(Expr::Call(boxed)) => {
                    boxed.args.first().map_or(TypeSpec::Any, |inner| evaluate(inner, text, of_type))
                }
                _ => TypeSpec::Any,
            };
            if called("List") {
                TypeSpec::List(Box::new(inner()))
            } else if called("Dict") {
                TypeSpec::Dict(Box::new(inner()))
            } else if called("Optional") {
                TypeSpec::Optional(Box::new(inner()))
            } else if called("Text") {
                call.args.first().and_then(text_kind).map_or(TypeSpec::Any, text)
            } else {
                type_asked(callee).map_or(TypeSpec::Any, |ty| of_type(&ty))
            }
        }
        _ => TypeSpec::Any,
    }
}

/// `String` in `String::type_spec()`: another type is asked.
fn type_asked(callee: &syn::ExprPath) -> Option<Type> {
    if callee.path.segments.last()?.ident != "type_spec" {
        return None;
    }
    if let Some(of) = &callee.qself {
        return Some((*of.ty).clone());
    }
    let mut path = callee.path.clone();
    path.segments.pop();
    path.segments.pop_punct();
    (!path.segments.is_empty()).then_some(Type::Path(TypePath {
        attrs: Vec::new(),
        qself: None,
        path,
    }))
}

/// A text is held to what the SDK's own reader of it checks, if it is read by that. A number may
/// stand for a duration and a size, and so perhaps for what a plugin reads as one.
fn held_to(kind: TextKind, readers: &[String]) -> TypeSpec {
    let said = TypeSpec::Text(kind);
    let checked = |reader: &String| types::known(reader).is_some_and(|(spec, _)| spec == said);
    match kind {
        _ if readers.iter().any(checked) => said,
        TextKind::Duration | TextKind::Size => TypeSpec::Any,
        _ => TypeSpec::Text(TextKind::Plain),
    }
}

/// `Pattern` in `Pattern::read(…)`, wherever it stands.
fn find_readers(tokens: TokenStream, readers: &mut Vec<String>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for window in tokens.windows(4) {
        if let [
            TokenTree::Ident(ty),
            TokenTree::Punct(a),
            TokenTree::Punct(b),
            TokenTree::Ident(called),
        ] = window
            && a.as_char() == ':'
            && b.as_char() == ':'
            && called == "read"
        {
            readers.push(ty.to_string());
        }
    }
    for token in tokens {
        if let TokenTree::Group(group) = token {
            find_readers(group.stream(), readers);
        }
    }
}

fn text_kind(said: &Expr) -> Option<TextKind> {
    let Expr::Path(path) = said else { return None };
    let kinds = [
        ("Plain", TextKind::Plain),
        ("Char", TextKind::Char),
        ("Path", TextKind::Path),
        ("Glob", TextKind::Glob),
        ("Duration", TextKind::Duration),
        ("Size", TextKind::Size),
        ("FieldPath", TextKind::FieldPath),
        ("Template", TextKind::Template),
        ("Expression", TextKind::Expression),
        ("Regex", TextKind::Regex),
        ("Address", TextKind::Address),
        ("Encoding", TextKind::Encoding),
    ];
    kinds.into_iter().find(|(name, _)| ends_in(&path.path, "TextKind", name)).map(|(_, kind)| kind)
}

fn ends_in(path: &Path, ty: &str, variant: &str) -> bool {
    let mut words = path.segments.iter().rev().map(|segment| &segment.ident);
    words.next().is_some_and(|word| word == variant) && words.next().is_some_and(|word| word == ty)
}
