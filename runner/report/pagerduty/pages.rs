//! Lists over several pages.

use serde_json::Value;

use super::outcome::error;
use super::transport::Call;
use super::{PAGE, PagerDuty, PlatformError};

impl PagerDuty {
    /// Every page of a list, up to `most` entries.
    pub(super) async fn pages(
        &self,
        (template, name): (&'static str, &'static str),
        query: &[(&'static str, String)],
        most: usize,
        mut take: impl FnMut(&Value) + Send,
    ) -> Result<(), PlatformError> {
        for offset in (0..most).step_by(PAGE) {
            let mut call = Call::get(template, vec![name]);
            let page = [("limit", PAGE.to_string()), ("offset", offset.to_string())];
            call.query = query.iter().cloned().chain(page).collect();
            let answer = self.transport.call(&call).await;
            let answer = answer.map_err(|gave_up| error(&call, name.to_owned(), gave_up))?;
            take(&answer);
            if answer["more"] != true {
                break;
            }
        }
        Ok(())
    }
}
