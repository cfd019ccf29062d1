//! Recipe text to a checked recipe: parser, YAML spelling, checker, diagnostics.
