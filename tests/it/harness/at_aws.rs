//! Regions that run at AWS: the double's, with the runner's own key.

use super::world::WorldBuilder;
use crate::aws::Aws;

impl WorldBuilder {
    /// In Tokyo, and nowhere else.
    pub(crate) fn in_tokyo(self, aws: &Aws) -> Self {
        let settings = format!("aws: {{region: ap-northeast-1, endpoint: \"{}\"}}\n", aws.url());
        self.settings(&settings).with_keys_of(aws)
    }

    /// AWS's tools find this key and look no further.
    pub(crate) fn with_keys_of(self, aws: &Aws) -> Self {
        let keys = aws.runner();
        self.environment("AWS_ACCESS_KEY_ID", &keys.id)
            .environment("AWS_SECRET_ACCESS_KEY", &keys.secret)
            .environment("AWS_EC2_METADATA_DISABLED", "true")
    }
}
