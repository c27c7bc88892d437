//! Secrets: `GetSecretValue` of the AWS Secrets Manager API reference, `GetParameter` of AWS Systems
//! Manager's, by name.

use serde_json::{Value, json};

use super::refusal::Why;
use super::world::{Caller, Shared};

pub(super) fn answer(
    shared: &Shared,
    caller: &Caller,
    action: &str,
    body: &Value,
) -> Result<Value, Why> {
    let world = shared.world();
    let account = world.accounts.get(&caller.account);
    match action {
        "GetSecretValue" => {
            let id = body["SecretId"].as_str().unwrap_or_default();
            let value = account.and_then(|account| account.secrets.get(&caller.place(id)));
            let missing = "Secrets Manager can't find the specified secret.";
            let value = value.ok_or_else(|| Why::stated("ResourceNotFoundException", missing))?;
            Ok(json!({ "Name": id, "SecretString": value, "VersionStages": ["AWSCURRENT"] }))
        }
        "GetParameter" => {
            let name = body["Name"].as_str().unwrap_or_default();
            if body["WithDecryption"] != true {
                let message = "a SecureString is asked for without WithDecryption";
                return Err(Why::stated("ValidationException", message));
            }
            let value = account.and_then(|account| account.parameters.get(&caller.place(name)));
            let value = value.ok_or_else(|| Why::stated("ParameterNotFound", ""))?;
            Ok(json!({ "Parameter": { "Name": name, "Type": "SecureString", "Value": value } }))
        }
        _ => Err(Why::stated("UnknownOperationException", action)),
    }
}
