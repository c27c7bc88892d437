//! Outputs that are kept whole: found by people, and forgotten when their time is over.

// In a bucket.
mod bucket;
// When their time is over.
mod old;
