//! How each service says no: the same reasons, in four ways of wording them.
//!
//! Codes and HTTP statuses: the page "Common Error Types" of the API reference of each service, for
//! EC2 "Error codes for the Amazon EC2 API", for S3 "Error responses".

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

/// Why a request is not carried out.
#[derive(Clone, Debug)]
pub(super) enum Why {
    Unsigned,
    UnknownKey,
    Signature(&'static str),
    Expired,
    /// Who may not do what, to what.
    Denied(String),
    Throttled,
    Internal,
    /// What one service says about its own matters.
    Stated {
        status: u16,
        code: String,
        message: String,
    },
}

impl Why {
    pub(super) fn stated(code: &str, message: impl Into<String>) -> Self {
        Self::answered(400, code, message)
    }

    pub(super) fn answered(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self::Stated { status, code: code.to_owned(), message: message.into() }
    }

    /// As IAM words it.
    pub(super) fn denied(who: &str, action: &str, resource: &str) -> Self {
        Self::Denied(format!(
            "User: {who} is not authorized to perform: {action} on resource: {resource}"
        ))
    }

    fn worded(self, wording: Wording) -> (u16, String, String) {
        let [json, query, ec2, s3] = match &self {
            Self::Unsigned => [
                (400, "MissingAuthenticationTokenException"),
                (403, "MissingAuthenticationToken"),
                (401, "AuthFailure"),
                (403, "AccessDenied"),
            ],
            Self::UnknownKey => [
                (400, "UnrecognizedClientException"),
                (403, "InvalidClientTokenId"),
                (401, "AuthFailure"),
                (403, "InvalidAccessKeyId"),
            ],
            Self::Signature(_) => [
                (400, "InvalidSignatureException"),
                (403, "SignatureDoesNotMatch"),
                (401, "AuthFailure"),
                (403, "SignatureDoesNotMatch"),
            ],
            Self::Expired => [
                (400, "ExpiredTokenException"),
                (403, "ExpiredToken"),
                (400, "RequestExpired"),
                (400, "ExpiredToken"),
            ],
            Self::Denied(_) => [
                (400, "AccessDeniedException"),
                (403, "AccessDenied"),
                (403, "UnauthorizedOperation"),
                (403, "AccessDenied"),
            ],
            Self::Throttled => [
                (400, "ThrottlingException"),
                (400, "Throttling"),
                (503, "RequestLimitExceeded"),
                (503, "SlowDown"),
            ],
            Self::Internal => [
                (500, "InternalServerError"),
                (500, "InternalFailure"),
                (500, "InternalError"),
                (500, "InternalError"),
            ],
            Self::Stated { status, code, .. } => [(*status, code.as_str()); 4],
        };
        let (status, code) = match wording {
            Wording::Json(_) => json,
            Wording::Query => query,
            Wording::Ec2 => ec2,
            Wording::S3 => s3,
        };
        let code = code.to_owned();
        let message = match self {
            Self::Unsigned => "Missing Authentication Token".to_owned(),
            Self::UnknownKey => "The security token included in the request is invalid.".to_owned(),
            Self::Signature(why) => why.to_owned(),
            Self::Expired => "The security token included in the request is expired".to_owned(),
            Self::Throttled => "Rate exceeded".to_owned(),
            Self::Internal => "planned by a test".to_owned(),
            Self::Denied(message) | Self::Stated { message, .. } => message,
        };
        (status, code, message)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wording {
    /// With its content type.
    Json(&'static str),
    Query,
    Ec2,
    S3,
}

impl Wording {
    pub(super) fn of(service: &str) -> Self {
        match service {
            "ssm" | "secretsmanager" => Self::Json("application/x-amz-json-1.1"),
            "sqs" => Self::Json("application/x-amz-json-1.0"),
            "ec2" => Self::Ec2,
            "s3" => Self::S3,
            _ => Self::Query,
        }
    }

    pub(super) fn refuse(self, why: Why) -> Response {
        let (status, code, message) = why.worded(self);
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
        let sender = if status.is_server_error() { "Receiver" } else { "Sender" };
        let id = uuid::Uuid::new_v4();
        let text = escaped(&message);
        match self {
            Self::Json(kind) => {
                let body = json!({"__type": code, "message": message});
                let kind = [(CONTENT_TYPE, kind)];
                (status, kind, body.to_string()).into_response()
            }
            Self::Query => xml(
                status,
                &format!(
                    "<ErrorResponse><Error><Type>{sender}</Type><Code>{code}</Code>\
                     <Message>{text}</Message></Error><RequestId>{id}</RequestId></ErrorResponse>"
                ),
            ),
            Self::Ec2 => xml(
                status,
                &format!(
                    "<Response><Errors><Error><Code>{code}</Code><Message>{text}</Message></Error>\
                     </Errors><RequestID>{id}</RequestID></Response>"
                ),
            ),
            Self::S3 => xml(
                status,
                &format!(
                    "<Error><Code>{code}</Code><Message>{text}</Message>\
                     <RequestId>{id}</RequestId></Error>"
                ),
            ),
        }
    }
}

pub(super) fn xml(status: StatusCode, inside: &str) -> Response {
    let body = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{inside}\n");
    (status, [(CONTENT_TYPE, "text/xml")], body).into_response()
}

/// A text between XML's marks.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
