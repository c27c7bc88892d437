//! What a command printed: what SSM hands over, and the rest from the customer's bucket.

use tokio::time::timeout;

use super::send::Talk;
use super::status::{Invocation, begin};
use crate::aws::signed;
use crate::customer::aws::{AwsOutput, Platform};
use crate::execute::local::Streams;
use crate::execute::output::Capture;
use crate::limits::{EVIDENCE_FILE_BYTES, S3_FETCH};

/// A first line and what may stand before it; what is longer is taken as it is.
const HEAD_BYTES: usize = 64 * 1024;

impl Talk<'_> {
    /// Keeps an ended command's output; all of it where it was cut and lies in a bucket.
    pub(super) async fn keep_output(
        &self,
        (id, platform): (&str, Platform),
        invocation: &Invocation,
        streams: &mut Streams<'_>,
    ) {
        let nonce = &self.order.nonce;
        let (stdout, stdout_cut) = invocation.stdout(nonce);
        let (stderr, stderr_cut) = invocation.stderr(nonce);
        streams.stdout.add(stdout.as_bytes()).await;
        streams.stderr.add(stderr.as_bytes()).await;
        for (name, is_cut, own, stream) in [
            ("stdout", stdout_cut, stdout, &mut streams.stdout),
            ("stderr", stderr_cut, stderr.as_str(), &mut streams.stderr),
        ] {
            if !is_cut {
                continue;
            }
            let Some(output) = self.desk.account.words().output.as_ref() else {
                stream.is_cut();
                continue;
            };
            let key = self.key(output, (id, platform), name);
            let fetched = timeout(S3_FETCH, self.fetch((output, &key), stream)).await;
            let why = match fetched {
                Ok(Ok(())) => continue,
                Ok(Err(why)) => why,
                Err(_) => "it did not come in time".to_owned(),
            };
            tracing::warn!(incident.id = %self.order.run.incident, key, why, "an output is told as far as SSM has it");
            stream.start_again();
            stream.add(own.as_bytes()).await;
            stream.is_cut();
        }
    }

    /// Where the agent puts it: the page "Run Command" about output in S3.
    fn key(&self, output: &AwsOutput, (id, platform): (&str, Platform), name: &str) -> String {
        let plugin = match platform {
            Platform::Linux => "awsrunShellScript/0.awsrunShellScript",
            Platform::Windows => "awsrunPowerShellScript/0.awsrunPowerShellScript",
        };
        let prefix = match output.prefix.as_str() {
            "" => String::new(),
            prefix => format!("{prefix}/"),
        };
        format!("{prefix}{id}/{}/{plugin}/{name}", self.way.instance())
    }

    async fn fetch(
        &self,
        (output, key): (&AwsOutput, &str),
        stream: &mut Capture<'_>,
    ) -> Result<(), String> {
        let session = self.desk.session(None).await.map_err(|trouble| trouble.to_string())?;
        let region = self.way.region();
        let url = format!("{}/{key}", session.aws().bucket(&output.bucket, region));
        let now = self.desk.clock.now();
        let request = signed::Get { url: &url, region, service: "s3", now };
        let mut body = request.send(&self.ssm.http, &session.credentials).await?;
        stream.start_again();
        let mut head = Some(Vec::new());
        while let Some(some) = body.next().await? {
            match &mut head {
                None => stream.add(&some).await,
                Some(start) => {
                    start.extend_from_slice(&some);
                    let at = begin(&String::from_utf8_lossy(start), &self.order.nonce);
                    if at.is_some() || start.len() > HEAD_BYTES {
                        stream.add(&start[at.unwrap_or_default().min(start.len())..]).await;
                        head = None;
                    }
                }
            }
            if stream.total_bytes() >= EVIDENCE_FILE_BYTES {
                stream.is_cut();
                return Ok(());
            }
        }
        if let Some(start) = head {
            stream.add(&start).await;
        }
        Ok(())
    }
}
