//! As much of the SDK as the compiler's own tests need: a list of what is registered.

/// What is registered: crate, version, plugin.
#[derive(Default)]
pub struct Plugins {
    pub crates: Vec<(String, String)>,
    pub plugins: Vec<(String, String)>,
}

impl Plugins {
    pub fn add_crate(&mut self, name: &str, version: &str, register: fn(&mut Plugins)) -> &mut Self {
        self.crates.push((name.to_owned(), version.to_owned()));
        register(self);
        self
    }

    pub fn register(&mut self, path: &str) {
        let (krate, _) = self.crates.last().expect("a crate registers");
        self.plugins.push((path.to_owned(), krate.clone()));
    }
}
