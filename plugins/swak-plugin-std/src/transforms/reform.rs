//! `out.Reform`: fields are renamed, written and deleted.

use swak_sdk::options::{Literal, LiteralValue, OptionErrors, OptionValue, TypeSpec};
use swak_sdk::prelude::*;

/// Renames, writes, picks (`keep`) and deletes fields, in this order.
///
/// A field that cannot be written, because its template has no value for a record or a field on the
/// way to it is no map, is left as it is and counted as an error; the record goes on. A line is the
/// field `message`.
///
/// ```example
/// out.JsonParser(), out.Reform(
///     rename={"msg": "message"},
///     write={"where": "{{ host }}:{{ port }}", "slow": "{{ ms > 1000 }}"},
///     delete=["host", "port"]
/// )
/// < {"host":"web-1","port":80,"msg":"done","ms":1532}
/// > {"message":"done","ms":1532,"where":"web-1:80","slow":true}
/// ```
#[derive(Options)]
#[plugin(transform, name = "Reform")]
pub(crate) struct ReformOptions {
    /// Fields that get another name, in their place: `{"msg": "message"}`. A field that is not there
    /// is passed over; one that had the new name is replaced.
    #[option(default = {})]
    rename: PathDict<FieldPath>,
    /// Fields that are set, in order: `{"where": "{{ host }}:{{ port }}", "copy": "{{ status }}"}`.
    /// A template that is a single `{{ … }}` gives the value as it is, any other gives text; numbers,
    /// bools, lists and dicts are written as they are.
    #[option(default = {})]
    write: PathDict<Written>,
    /// Fields that are taken out.
    #[option(default = [])]
    delete: Vec<FieldPath>,
    /// The only fields that stay, in this order. Left out: all.
    keep: Option<Vec<FieldPath>>,
}

pub(crate) struct Reform {
    rename: PathDict<FieldPath>,
    write: PathDict<Written>,
    delete: Vec<FieldPath>,
    keep: Option<Vec<FieldPath>>,
    /// Where texts are rendered, used again for each.
    rendered: Vec<u8>,
}

/// What a field is set to.
enum Written {
    Constant(Value),
    Value(Expr),
    Text(Template),
}

impl Plugin for Reform {
    type Options = ReformOptions;

    fn new(options: ReformOptions, _: &BuildContext) -> Result<Self> {
        let ReformOptions { rename, write, delete, keep } = options;
        if rename.is_empty() && write.is_empty() && delete.is_empty() && keep.is_none() {
            bail!(
                "there is nothing to do: say what to rename, write, delete or keep, \
                 as in out.Reform(delete=[\"password\"])"
            );
        }
        Ok(Reform { rename, write, delete, keep, rendered: Vec::new() })
    }
}

impl Transform for Reform {
    fn apply(&mut self, mut batch: Batch, out: &mut Outlet) -> Result<()> {
        let (tag, source) = (batch.tag.clone(), batch.source.clone());
        for record in batch.records_mut() {
            self.rename(record, out);
            for (path, written) in self.write.iter() {
                let scope = Scope { record: record.view(), tag: &tag, source: &source };
                match written.value(&scope, &mut self.rendered) {
                    Some(value) => match path.as_key() {
                        Some(name) => record.insert(name, value),
                        None if path.insert(record.fields_mut(), value).is_ok() => {}
                        None => out.error(),
                    },
                    None => out.error(),
                }
            }
            if let Some(keep) = &self.keep {
                let kept = kept(record.fields_mut(), keep);
                record.set_fields(kept);
            }
            for path in &self.delete {
                path.remove(record.fields_mut());
            }
        }
        out.emit(batch);
        Ok(())
    }
}

impl Reform {
    fn rename(&self, record: &mut Record, out: &mut Outlet) {
        for (from, to) in self.rename.iter() {
            let fields = record.fields_mut();
            if let (Some(from), Some(to)) = (from.as_key(), to.as_key()) {
                fields.rename(from, to);
            } else if let Some(value) = from.get(fields).cloned() {
                // The value goes only once it stands in its new place.
                match to.insert(fields, value) {
                    Ok(_) if from != to => drop(from.remove(fields)),
                    Ok(_) => {}
                    Err(_) => out.error(),
                }
            }
        }
    }
}

impl Written {
    /// The value for a record; texts are rendered into the buffer.
    fn value(&self, scope: &Scope<'_>, rendered: &mut Vec<u8>) -> Option<Value> {
        match self {
            Written::Constant(value) => Some(value.clone()),
            Written::Value(expr) => expr.eval(scope).ok(),
            Written::Text(template) => {
                rendered.clear();
                template.render_into(scope, rendered).ok()?;
                Some(Value::from(std::str::from_utf8(rendered).expect("a template renders text")))
            }
        }
    }
}

impl OptionValue for Written {
    fn type_spec() -> TypeSpec {
        TypeSpec::Any
    }

    fn read(literal: &Literal) -> Result<Self, OptionErrors> {
        let LiteralValue::Str(text) = &literal.value else {
            return Ok(Written::Constant(literal.into()));
        };
        let template = Template::read(literal)?;
        if let Some(text) = template.as_constant() {
            return Ok(Written::Constant(text.into()));
        }
        let inner = text.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}"));
        match inner.map(|inner| Expr::new(inner.trim_matches('-'))) {
            Some(Ok(expr)) => Ok(Written::Value(expr)),
            _ => Ok(Written::Text(template)),
        }
    }
}

fn kept(fields: &Map, keep: &[FieldPath]) -> Map {
    let mut kept = Map::with_capacity(keep.len());
    for path in keep {
        if let Some(value) = path.get(fields) {
            // Blocked only when the list names a field and then one below it, which is there already.
            let _ = path.insert(&mut kept, value.clone());
        }
    }
    kept
}

#[cfg(test)]
mod tests;
