//! What AMS asks of AWS beside its own store: signed requests, and what AWS's errors mean.

pub mod failure;
pub mod own;
pub mod query;
pub mod s3;
pub mod signed;
pub mod xml;
