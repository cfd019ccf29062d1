//! How records are written as bytes: raw, JSON, CSV, MessagePack, templates.
