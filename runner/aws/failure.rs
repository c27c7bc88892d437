//! What an error of AWS means for whoever asked.

use std::error::Error;

use aws_sdk_ssm::error::{ProvideErrorMetadata, SdkError};

/// Why a request has no good answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Too many at once: not carried out, and worth another try.
    Busy(String),
    /// No connection came about: not carried out, and worth another try.
    NotSent(String),
    /// The credentials are over: not carried out; others are needed.
    Expired(String),
    /// No answer, or one that leaves it open whether the request was carried out.
    Uncertain(String),
    /// Not carried out, and no further try helps.
    Refused { code: String, message: String },
}

/// "Common Errors" of the services' references.
const BUSY: [&str; 6] = [
    "ThrottlingException",
    "Throttling",
    "TooManyRequestsException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RateExceeded",
];

const EXPIRED: [&str; 5] = [
    "ExpiredTokenException",
    "ExpiredToken",
    "RequestExpired",
    "InvalidClientTokenId",
    "UnrecognizedClientException",
];

/// Our code for what could not even be made into a request.
pub(crate) const UNSENT: &str = "NotSent";

/// How hyper-util words that it had no connection to send anything over. Should it word that
/// otherwise one day, it is told as uncertain, which costs time and nothing else.
const NO_CONNECTION: &str = "client error (Connect)";

impl Failure {
    pub(crate) fn of<E>(error: &SdkError<E>) -> Self
    where
        E: Error + ProvideErrorMetadata + 'static,
    {
        let SdkError::ServiceError(told) = error else {
            // Nothing was sent: usually there are no credentials.
            if let SdkError::ConstructionFailure(_) = error {
                let code = UNSENT.to_owned();
                return Self::Refused { code, message: chain(error) };
            }
            let why = chain(error);
            return if why.contains(NO_CONNECTION) {
                Self::NotSent(why)
            } else {
                Self::Uncertain(why)
            };
        };
        let code = told.err().code().unwrap_or("an error without a name").to_owned();
        let message = told.err().message().unwrap_or_default().to_owned();
        let text = format!("{code}: {message}");
        if BUSY.contains(&code.as_str()) {
            Self::Busy(text)
        } else if EXPIRED.contains(&code.as_str()) {
            Self::Expired(text)
        } else if told.raw().status().is_server_error() {
            Self::Uncertain(text)
        } else {
            Self::Refused { code, message }
        }
    }

    /// Does AWS say that we may not?
    pub fn is_denied(&self) -> bool {
        let denied = ["AccessDenied", "AccessDeniedException", "UnauthorizedOperation"];
        matches!(self, Self::Refused { code, .. } if denied.contains(&code.as_str()))
    }

    /// Every word of [`Self::class`].
    pub const CLASSES: [&str; 5] = ["busy", "not_sent", "expired", "uncertain", "refused"];

    /// For who counts.
    pub const fn class(&self) -> &'static str {
        match self {
            Self::Busy(_) => "busy",
            Self::NotSent(_) => "not_sent",
            Self::Expired(_) => "expired",
            Self::Uncertain(_) => "uncertain",
            Self::Refused { .. } => "refused",
        }
    }

    pub fn reason(&self) -> String {
        match self {
            Self::Busy(reason)
            | Self::NotSent(reason)
            | Self::Expired(reason)
            | Self::Uncertain(reason) => reason.clone(),
            Self::Refused { code, message } => format!("{code}: {message}"),
        }
    }
}

/// An error with its causes, each once: the SDK's own words leave them out or show its insides.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !told.contains(&text) {
            told = format!("{told}: {text}");
        }
        cause = error.source();
    }
    told
}
