//! Where a parser finds its text, and where it puts what it found.

use swak_sdk::data::MESSAGE;
use swak_sdk::prelude::*;

/// Where a parser finds its text, and where it puts what it found.
pub(crate) struct Source {
    field: FieldPath,
    target: Option<FieldPath>,
    keep: bool,
    /// What is put at `target` takes the place of the text.
    overwritten: bool,
}

impl Source {
    /// `field` holds the text, else the line, or the field `message` of a record that is no longer
    /// one. What is found is put below `target`, else into the record itself. The text goes, unless
    /// `keep`.
    pub(crate) fn new(field: Option<FieldPath>, target: Option<FieldPath>, keep: bool) -> Self {
        let field = field.unwrap_or_else(|| FieldPath::from_key(MESSAGE));
        let overwritten = target.as_ref().is_some_and(|target| field.starts_with(target));
        Source { field, target, keep, overwritten }
    }

    /// The text of a record.
    pub(crate) fn text(&self, record: &Record) -> Option<Slice> {
        if let Some(line) = record.line() {
            return (self.field.as_key() == Some(MESSAGE)).then(|| line.clone());
        }
        match &*self.field.get_from(record.view())? {
            Value::Bytes(bytes) => Some(bytes.clone()),
            Value::Text(text) => Some(text.to_slice()),
            _ => None,
        }
    }

    /// Whether a line becomes the parsed fields and nothing else.
    pub(crate) fn replaces_lines(&self) -> bool {
        self.field.as_key() == Some(MESSAGE) && self.target.is_none() && !self.keep
    }

    /// Whether the record becomes the parsed fields and nothing else.
    pub(crate) fn replaces(&self, record: &Record) -> bool {
        record.line().is_some() && self.target.is_none() && !self.keep
    }

    /// Puts parsed fields into the record. When that cannot be, the record is as it was, and the
    /// error says why.
    pub(crate) fn put(&self, record: &mut Record, parsed: Map) -> Result<(), String> {
        if self.replaces(record) {
            record.set_fields(parsed);
            return Ok(());
        }
        if record.line().is_some() {
            let mut fields =
                if self.keep { record.view().to_map().into_owned() } else { Map::new() };
            self.put_into(&mut fields, parsed)?;
            record.set_fields(fields);
            return Ok(());
        }
        let fields = record.fields_mut();
        if self.target.is_none() && !self.keep {
            self.field.remove(fields);
        }
        self.put_into(fields, parsed)?;
        if self.target.is_some() && !self.keep && !self.overwritten {
            self.field.remove(fields);
        }
        Ok(())
    }

    fn put_into(&self, fields: &mut Map, parsed: Map) -> Result<(), String> {
        match &self.target {
            Some(target) => {
                target.insert(fields, parsed).map_err(|blocked| blocked.to_string())?;
            }
            None => {
                for (name, value) in parsed {
                    fields.insert(name, value);
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Option<FieldPath> {
        (!text.is_empty()).then(|| text.parse().unwrap())
    }

    fn put(field: &str, target: &str, keep: bool, mut record: Record) -> Result<String, String> {
        let source = Source::new(path(field), path(target), keep);
        assert_eq!(source.text(&record).as_deref(), Some(&b"text"[..]));
        source.put(&mut record, [("n", 1)].into_iter().collect())?;
        Ok(json(&record))
    }

    fn json(record: &Record) -> String {
        let mut out = Vec::new();
        record.view().write_json(&mut out);
        String::from_utf8(out).unwrap()
    }

    fn line() -> Record {
        Record::from_line("text", Timestamp::default())
    }

    fn fields() -> Record {
        let inner: Map = [("b", "text"), ("c", "other")].into_iter().collect();
        let mut fields: Map = [("message", "text"), ("x", "y")].into_iter().collect();
        fields.insert("a", inner);
        Record::from_fields(fields, Timestamp::default())
    }

    #[test]
    fn a_line_is_replaced_kept_or_put_below() {
        assert_eq!(put("", "", false, line()).unwrap(), r#"{"n":1}"#);
        assert_eq!(put("message", "", true, line()).unwrap(), r#"{"message":"text","n":1}"#);
        assert_eq!(put("", "p.q", false, line()).unwrap(), r#"{"p":{"q":{"n":1}}}"#);
        assert_eq!(put("", "message", false, line()).unwrap(), r#"{"message":{"n":1}}"#);
    }

    #[test]
    fn fields_beside_the_text_stay() {
        let rest = r#""x":"y","a":{"b":"text","c":"other"}"#;
        assert_eq!(put("", "", false, fields()).unwrap(), format!(r#"{{{rest},"n":1}}"#));
        assert_eq!(
            put("message", "p", false, fields()).unwrap(),
            format!(r#"{{{rest},"p":{{"n":1}}}}"#)
        );
        assert_eq!(
            put("a.b", "", true, fields()).unwrap(),
            format!(r#"{{"message":"text",{rest},"n":1}}"#)
        );
        assert_eq!(
            put("a.b", "a", false, fields()).unwrap(),
            r#"{"message":"text","x":"y","a":{"n":1}}"#
        );
        assert_eq!(
            put("a.b", "a.b", false, fields()).unwrap(),
            r#"{"message":"text","x":"y","a":{"b":{"n":1},"c":"other"}}"#
        );
    }

    #[test]
    fn a_blocked_target_leaves_the_record_as_it_was() {
        for (record, target) in [(fields(), "x.y"), (line(), "message.deep")] {
            let mut changed = record.clone();
            let source = Source::new(None, path(target), true);
            source.put(&mut changed, Map::new()).unwrap_err();
            assert_eq!(changed, record);
        }
    }

    #[test]
    fn there_may_be_no_text() {
        let number = Record::from_fields([("message", 1)].into_iter().collect(), line().time());
        assert!(Source::new(None, None, false).text(&number).is_none());
        assert!(Source::new(path("a.b"), None, false).text(&line()).is_none());
    }
}
