//! Recipe text to a checked recipe: parser, YAML spelling, checker, diagnostics.
//!
//! The way of a recipe: a [`diag::SourceFile`] is parsed by its spelling (Python call syntax or
//! YAML) into one [`syntax`] tree, which the checker turns into a [`model::Recipe`] against a
//! catalog of plugins, or into a list of every mistake in it. Nothing here runs anything and
//! nothing here knows an executor: the compiler uses the same checks as the agent.

#![warn(missing_docs)]

pub mod check;
pub mod diag;
#[cfg(any(test, feature = "fuzz"))]
#[doc(hidden)]
pub mod fuzz;
pub mod graph;
pub mod model;
pub mod python;
pub mod syntax;
pub mod write;
pub mod yaml;
pub mod yaml_recipe;

pub use check::{Catalog, Environment, Later, ProcessEnvironment, SpecList, check, check_as};
pub use model::Recipe;
pub use syntax::Spelling;
