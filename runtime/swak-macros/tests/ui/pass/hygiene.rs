//! The generated code means the standard library, whatever the author's names mean.

#![allow(dead_code)]

mod author {
    pub struct String;
    pub struct Vec;
    pub struct Result;
    pub enum Option {}
    pub struct Default;
    pub fn args() {}

    /// Has fields with the names that the generated code uses.
    #[derive(swak_sdk::options::Options)]
    #[plugin(transform, name = "Names")]
    pub struct Names {
        /// One.
        reader: u8,
        /// Two.
        specs: u8,
        /// Three.
        #[option(default = 3)]
        args: u8,
        /// Four.
        literal: ::core::option::Option<u8>,
    }

    /// Has words with the names of the standard library.
    #[derive(swak_sdk::options::Choice)]
    pub enum Words {
        /// One.
        Ok,
        /// Two.
        None,
        /// Three.
        Some,
    }
}

fn main() {}
