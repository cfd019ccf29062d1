//! Inputs that listen on sockets and take lines as they come: torture sends to them by itself.

use swak_recipe::diag::Diagnostics;
use swak_recipe::syntax::{Call, Expr, ExprKind};
use swak_sdk::options::{OptionSpec, PluginSpec, Span, TextKind};

use super::Expect;
use super::outputs::no_port;
use super::tasks::{Fed, Rewriter};
use super::values::{argument, is_text_of, names, set, text, texts};
use crate::torture::relay::Transport;

/// Inputs that take lines, by what their names hold. Others speak a protocol of their own.
const TAKE_LINES: [&str; 4] = ["Syslog", "Tcp", "Udp", "Socket"];

/// What makes another protocol of it.
const SECURED: [&str; 2] = ["tls", "cert"];

/// Lines that are sent to an input.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) transport: Transport,
    /// Where the input listens.
    pub(super) address: String,
}

impl Rewriter<'_> {
    /// The option by which an input listens for lines on sockets that torture can send to.
    pub(super) fn takes_lines<'s>(
        &self,
        call: &Call,
        spec: &'s PluginSpec,
    ) -> Option<&'s OptionSpec> {
        let takes = TAKE_LINES.iter().any(|word| spec.name.contains(word));
        let secured = spec.options.iter().any(|option| {
            names(call, &option.name) && SECURED.iter().any(|word| option.name.contains(word))
        });
        let address = spec.options.iter().find(|one| is_text_of(&one.ty, TextKind::Address))?;
        let listens = self.listens(&mut call.clone(), spec, address);
        let can = listens.iter().any(|listens| transport(listens, spec).is_some());
        (takes && !secured && can).then_some(address)
    }

    /// Lets an input listen on loopback, and sends to each of its sockets.
    pub(super) fn sockets(
        &mut self,
        call: &mut Call,
        spec: &PluginSpec,
        address: &OptionSpec,
        expect: Expect,
    ) -> Result<Fed, Diagnostics> {
        let mut places = Vec::new();
        let mut sent = Vec::new();
        for listens in self.listens(call, spec, address) {
            let name = spec.path();
            let Some(transport) = transport(&listens, spec) else {
                self.notes.push(format!("`{name}` does not listen on `{listens}`"));
                continue;
            };
            let port = (self.place.free_port)().map_err(|error| no_port(&error))?;
            let scheme = listens.find("://").map_or("", |end| &listens[..end + 3]);
            places.push(text(format!("{scheme}{port}")));
            let may = match transport {
                Transport::Tcp => "what it has not read when it goes down may be lost",
                Transport::Udp => "datagrams may be lost",
            };
            self.notes.push(format!("lines are sent to `{name}` over {transport}; {may}"));
            sent.push(Sent { transport, address: port });
        }
        let places = match <[Expr; 1]>::try_from(places) {
            Ok([one]) => one,
            Err(many) => Expr { kind: ExprKind::List(many), span: Span::default() },
        };
        set(call, spec, address, places);
        self.skips_present = true;
        Ok(Fed { include: Vec::new(), exclude: Vec::new(), sent, expect })
    }

    /// Where an input listens, by its recipe or else by its default.
    fn listens(&self, call: &mut Call, spec: &PluginSpec, address: &OptionSpec) -> Vec<String> {
        match argument(call, spec, address) {
            Some(value) => texts(value, self.place.environment),
            // As it is written in a recipe: what stands between quotes.
            None => {
                let default = address.default.as_deref().unwrap_or_default();
                default.split('"').skip(1).step_by(2).map(str::to_owned).collect()
            }
        }
    }
}

/// How lines get to where an input listens, if torture can send them there.
fn transport(listens: &str, spec: &PluginSpec) -> Option<Transport> {
    match listens.split_once("://") {
        Some(("udp", _)) => Some(Transport::Udp),
        Some(("tcp", _)) => Some(Transport::Tcp),
        Some(_) => None,
        None if spec.name.contains("Udp") => Some(Transport::Udp),
        None => Some(Transport::Tcp),
    }
}
