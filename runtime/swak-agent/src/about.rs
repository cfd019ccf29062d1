//! What an agent knows of itself.

/// What an agent knows of itself. The generated `main.rs` writes it.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// The name of the executable, without an extension: `swak-myprj`.
    pub name: &'static str,
    /// The version that the build config gives.
    pub version: &'static str,
    /// The recipe that was built in: what `run` takes when none is named.
    pub recipe: Option<EmbeddedRecipe>,
    /// What was built, from what and with what: one line that `swak-makebuild` writes,
    /// `<swak-facts 1>{…}</swak-facts>` with JSON between the tags. Empty where nobody wrote it.
    ///
    /// The text stands in the executable as it is, so that it can be read without running it.
    pub facts: &'static str,
}

/// A recipe that was built in.
#[derive(Clone, Copy, Debug)]
pub struct EmbeddedRecipe {
    /// The name of its file. Its end says how the recipe is spelled.
    pub name: &'static str,
    /// The whole recipe.
    pub text: &'static str,
}
