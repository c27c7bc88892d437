//! What people are asked, and what let a step pass.

use std::time::Duration;

use async_trait::async_trait;

use crate::guard::Said;

/// What people are asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Counts the run's questions, so that each is asked once.
    pub number: u32,
    pub text: String,
    /// What will be done, line by line.
    pub does: Vec<String>,
    /// How long they have.
    pub within: Duration,
}

/// Why a recovery may be done that people were to be asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// By whom, where the platform says so.
    By(Option<String>),
    /// The customer waives the question at this time.
    Waived,
}

/// What let a step pass, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Passes {
    pub allowed: Option<Allowed>,
    /// What each guard counted.
    pub guards: Vec<Said>,
}

/// The port through which a run asks people.
#[async_trait]
pub trait AskPeople: Send + Sync {
    /// Shows the question, unless an owner before us has.
    async fn ask(&self, question: &Question);

    /// Tells somebody, once, that the answer is not theirs to give.
    async fn refuse(&self, by: Option<&str>);
}
