//! What comes back, read up to a bound.

use reqwest::Response;

use crate::limits;

pub(super) struct Body {
    pub(super) bytes: Vec<u8>,
    pub(super) end: End,
}

pub(super) enum End {
    Whole,
    TooLong,
    Broken(reqwest::Error),
}

impl Body {
    pub(super) async fn read(mut answer: Response) -> Self {
        let mut bytes = Vec::new();
        let end = loop {
            match answer.chunk().await {
                Ok(Some(chunk)) if bytes.len() + chunk.len() > limits::PAGERDUTY_ANSWER_BYTES => {
                    break End::TooLong;
                }
                Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
                Ok(None) => break End::Whole,
                Err(error) => break End::Broken(error),
            }
        };
        Self { bytes, end }
    }
}
