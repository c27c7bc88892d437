//! `ams pagerduty subscribe`: a subscription for every region, its secret where it is needed.

use std::path::PathBuf;

use secrecy::{ExposeSecret as _, SecretString};

use super::secret::{Place, PlaceError};
use super::tell::{self, News};
use crate::commands::{exit, print};
use crate::config::{RegionAddress, SecretPlace, SetUp};
use crate::doctor::subscriptions::{missing, of};
use crate::receive::pagerduty::EVENTS;
use crate::report::PlatformError;
use crate::report::account::{Scope, Subscribed, Subscription};
use crate::report::pagerduty::PagerDuty;

/// Make a webhook subscription for every region under `regions`, and keep its secret.
///
/// What is there is left as it is: a second call makes nothing twice. Events that are missing are
/// added. The secret goes to the file that the region's `secret: file:PATH` names (readable by its
/// owner only), or is printed, once, where no file is named: PagerDuty never tells it again.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ams pagerduty subscribe --dry-run
  ams pagerduty subscribe --config /etc/ams/ams.yaml --ping
  ams pagerduty subscribe --region osaka --service PABC123

Exit codes: 0 every region has its subscription, 1 not every one (the others are named),
2 could not run (settings, PagerDuty).")]
pub(super) struct Args {
    /// Only this region; may be given several times
    #[arg(long = "region", value_name = "NAME")]
    regions: Vec<String>,
    /// Incidents of this service only, by its id; else of the whole account
    #[arg(long, value_name = "ID", conflicts_with = "team")]
    service: Option<String>,
    /// Incidents of this team only, by its id
    #[arg(long, value_name = "ID")]
    team: Option<String>,
    /// Have PagerDuty send a test event to each
    #[arg(long)]
    ping: bool,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Settings of a region (docs/operations/configuration.md)
    #[arg(long, value_name = "FILE", default_value = "ams.yaml")]
    config: PathBuf,
}

pub(super) async fn run(args: &Args) -> Result<u8, Box<dyn std::error::Error>> {
    let (set_up, account) = super::open(&args.config).await?;
    let regions = chosen(args, &set_up)?;
    let scope = match (&args.service, &args.team) {
        (Some(id), _) => Scope::Service(id.clone()),
        (None, Some(id)) => Scope::Team(id.clone()),
        (None, None) => Scope::Account,
    };
    let known = account.subscriptions().await?;
    let desk = Desk { set_up: &set_up, account: &account, scope, dry_run: args.dry_run };
    let mut all_well = true;
    for region in regions {
        let subscription = desk.subscribe(region, &known).await;
        all_well &= subscription.is_ok();
        if let (Ok(Some(id)), true) = (subscription, args.ping && !args.dry_run) {
            all_well &= desk.ping(region, &id).await;
        }
    }
    Ok(if all_well { exit::OK } else { exit::FINDINGS })
}

fn chosen<'a>(args: &Args, set_up: &'a SetUp) -> Result<Vec<&'a RegionAddress>, String> {
    if set_up.regions.is_empty() {
        return Err("the settings name no regions: add \
                    `regions: [{name: tokyo, url: https://PUBLIC-ADDRESS, secret: file:PATH}]`"
            .to_owned());
    }
    let is_known = |name: &String| set_up.regions.iter().any(|it| it.name.as_str() == name);
    if let Some(unknown) = args.regions.iter().find(|name| !is_known(name)) {
        let known: Vec<&str> = set_up.regions.iter().map(|it| it.name.as_str()).collect();
        return Err(format!("`regions` has no '{unknown}'; it has {}", known.join(", ")));
    }
    let is_meant = |it: &&RegionAddress| {
        args.regions.is_empty() || args.regions.iter().any(|name| name == it.name.as_str())
    };
    Ok(set_up.regions.iter().filter(is_meant).collect())
}

/// A region that was not served, told already.
struct Failed;

struct Desk<'a> {
    set_up: &'a SetUp,
    account: &'a PagerDuty,
    scope: Scope,
    dry_run: bool,
}

impl Desk<'_> {
    /// The id of the region's subscription; none where it would only be made.
    async fn subscribe(
        &self,
        region: &RegionAddress,
        known: &[Subscription],
    ) -> Result<Option<String>, Failed> {
        // One of the whole account does for a service, too.
        let does = |it: &&Subscription| it.scope == self.scope || it.scope == Scope::Account;
        let works = |it: &&Subscription| it.active && !it.is_disabled;
        let there: Vec<&Subscription> = of(region, known).filter(does).collect();
        match there.iter().copied().find(works).or(there.first().copied()) {
            Some(there) => self.keep(region, there).await.map(Some),
            None => self.make(region).await,
        }
    }

    async fn keep(&self, region: &RegionAddress, there: &Subscription) -> Result<String, Failed> {
        let id = there.id.as_str();
        self.tell(region, &News::There { id });
        if !there.active {
            self.tell(region, &News::Off { id });
        }
        if there.is_disabled {
            self.tell(region, &News::Disabled { id });
        }
        let lacks = missing(there);
        if !lacks.is_empty() {
            self.tell(region, &News::Events { id, events: &lacks, dry_run: self.dry_run });
            let events: Vec<String> = there.events.iter().cloned().chain(lacks).collect();
            if !self.dry_run {
                let done = self.account.set_events(id, &events).await;
                done.map_err(|error| fail(region, &error))?;
            }
        }
        // Another region's variable is not here, and need not be.
        if let Some(place @ SecretPlace::File(_)) = &region.secret
            && let Err(why) = place.read(&self.set_up.variables)
        {
            self.tell(region, &News::SecretGone { id, why: &why });
            return Err(Failed);
        }
        if there.active && !there.is_disabled { Ok(id.to_owned()) } else { Err(Failed) }
    }

    async fn make(&self, region: &RegionAddress) -> Result<Option<String>, Failed> {
        if self.dry_run {
            self.tell(region, &News::Would { url: &region.url, place: region.secret.as_ref() });
            return Ok(None);
        }
        let file = match &region.secret {
            Some(SecretPlace::File(path)) => Some(Place::make(path)),
            Some(SecretPlace::Variable(_)) | None => None,
        };
        let file = file.transpose().map_err(|error| fail(region, &error))?;
        let made = self.account.subscribe(&region.url, &self.scope, &EVENTS).await;
        let Subscribed { id, secret } = made.map_err(|not| {
            let failed = fail(region, &not);
            if not.perhaps {
                self.tell(region, &News::PerhapsMade);
            }
            // PagerDuty REST docs, Errors: a limit of the product.
            if matches!(not.error, PlatformError::Refused { code: Some(2019), .. }) {
                self.tell(region, &News::TooMany);
            }
            failed
        })?;
        self.tell(region, &News::Made { id: &id });
        let Some(secret) = secret else {
            self.tell(region, &News::NoSecret { id: &id });
            return Err(Failed);
        };
        self.hand_over(region, file, &secret)?;
        Ok(Some(id))
    }

    /// Whatever happens, a secret that was told is not lost.
    fn hand_over(
        &self,
        region: &RegionAddress,
        file: Option<Place>,
        secret: &SecretString,
    ) -> Result<(), Failed> {
        let stored: Option<Result<PathBuf, PlaceError>> = file.map(|file| file.fill(secret));
        match stored {
            Some(Ok(path)) => {
                self.tell(region, &News::Stored { path: &path });
                Ok(())
            }
            Some(Err(error)) => {
                let failed = fail(region, &error);
                self.tell(region, &News::Secret { secret: secret.expose_secret(), of: None });
                Err(failed)
            }
            None => {
                let of = match &region.secret {
                    Some(SecretPlace::Variable(name)) => Some(name.as_str()),
                    _ => None,
                };
                self.tell(region, &News::Secret { secret: secret.expose_secret(), of });
                Ok(())
            }
        }
    }

    async fn ping(&self, region: &RegionAddress, id: &str) -> bool {
        match self.account.ping(id).await {
            Ok(()) => {
                self.tell(region, &News::Pinged);
                true
            }
            Err(error) => {
                fail(region, &error);
                false
            }
        }
    }

    fn tell(&self, region: &RegionAddress, news: &News<'_>) {
        let line = tell::line(self.set_up.lang, news);
        print::out(format_args!("{}: {line}", region.name));
    }
}

fn fail(region: &RegionAddress, error: &dyn std::error::Error) -> Failed {
    print::err(format_args!("{}: {error}", region.name));
    Failed
}
