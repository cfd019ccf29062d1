//! What a Swak plugin is written against: records, batches, traits, options, registry.
