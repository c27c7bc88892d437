//! The languages in which AMS speaks to people.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lang {
    Ja,
    En,
}

impl Lang {
    pub const WORDS: [(&'static str, Self); 2] = [("ja", Self::Ja), ("en", Self::En)];

    /// The zone in which times are told where nothing else is configured.
    pub const fn default_zone(self) -> &'static str {
        match self {
            Self::Ja => "Asia/Tokyo",
            Self::En => "UTC",
        }
    }
}
