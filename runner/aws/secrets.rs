//! AMS's own secrets where AWS keeps them: `GetSecretValue` of the AWS Secrets Manager API reference,
//! `GetParameter` of AWS Systems Manager's.

use std::sync::Arc;

use reqwest::Method;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::Settings;
use super::failure::Failure;
use super::own::Own;
use super::signed::{Ask, Kind, Signed};
use crate::clock::Clock;
use crate::limits;
use crate::secret::Reference;

/// Secrets of one account, in one region.
#[derive(Clone)]
pub struct Vault {
    settings: Settings,
    signed: Signed,
    own: Own,
}

/// Why AWS cannot be asked for secrets.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("AWS's tools find no credentials")]
    NoCredentials,
    #[error("no HTTP client: {0}")]
    HttpClient(#[from] reqwest::Error),
}

impl Vault {
    /// With AMS's own credentials, as AWS's tools find them.
    pub async fn open(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let own = Own::find(&settings.region, Arc::clone(&clock)).await;
        let own = own.ok_or(OpenError::NoCredentials)?;
        Ok(Self { settings: settings.clone(), signed: Signed::new(clock)?, own })
    }

    /// What is kept there now. Why not is for people, and says no value.
    pub async fn read(&self, reference: &Reference) -> Result<SecretString, String> {
        let (service, target, body) = match reference {
            Reference::SecretsManager { id, .. } => {
                ("secretsmanager", "secretsmanager.GetSecretValue", json!({ "SecretId": id }))
            }
            Reference::Parameter(name) => {
                ("ssm", "AmazonSSM.GetParameter", json!({ "Name": name, "WithDecryption": true }))
            }
            Reference::Variable(_) | Reference::File { .. } => {
                return Err("it is not kept at AWS".to_owned());
            }
        };
        let answer = self.ask(service, target, &body).await.map_err(|failure| failure.reason())?;
        let answer: Value =
            serde_json::from_slice(&answer).map_err(|_| "an answer that is not JSON".to_owned())?;
        let value = match reference {
            Reference::Parameter(_) => answer["Parameter"]["Value"].as_str(),
            _ => answer["SecretString"].as_str(),
        };
        let value = value.ok_or_else(|| "it holds no text".to_owned())?;
        let Reference::SecretsManager { field: Some(field), .. } = reference else {
            return Ok(SecretString::from(value.trim()));
        };
        let json: Value = serde_json::from_str(value)
            .map_err(|_| format!("it is not JSON, and the field {field} is asked for"))?;
        let value = json[field].as_str();
        let value = value.ok_or_else(|| format!("it has no text in the field {field}"))?;
        Ok(SecretString::from(value.trim()))
    }

    async fn ask(
        &self,
        service: &'static str,
        target: &'static str,
        body: &Value,
    ) -> Result<Vec<u8>, Failure> {
        let Settings { region, endpoint } = &self.settings;
        let host = match endpoint {
            Some(endpoint) => endpoint.trim_end_matches('/').to_owned(),
            None => super::query::address(service, region),
        };
        let ask = Ask {
            method: Method::POST,
            url: format!("{host}/"),
            region,
            service,
            content_type: Some("application/x-amz-json-1.1"),
            target: Some(target),
            body: body.to_string().into_bytes(),
            kind: Kind::Repeatable,
            within: limits::SECRET_FETCH,
        };
        self.own.ask(&self.signed, &ask).await
    }
}
