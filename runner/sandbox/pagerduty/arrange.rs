//! What an administrator has set up in the account, where it is not what the sandbox has.

use super::directory::{Policy, Service};
use super::{Scope, StandIn};

impl StandIn {
    /// One more service, on which nothing ever happens.
    pub fn add_service(&self, id: &'static str, name: &'static str, policy: &'static str) {
        let service = Service { id, name, policy, acknowledgement_timeout: None };
        self.shared.update(|state| state.directory.quiet_services.push(service));
    }

    /// One more escalation policy: per level the users it pages, and minutes at each level.
    pub fn add_policy(
        &self,
        id: &'static str,
        name: &'static str,
        levels: Vec<Vec<&'static str>>,
        minutes: u32,
    ) {
        let policy = Policy { id, name, levels, minutes };
        self.shared.update(|state| state.directory.policies.push(policy));
    }

    /// Nobody reaches this user by a policy now.
    pub fn goes_off_duty(&self, user: &'static str) {
        self.shared.update(|state| state.directory.off_duty.push(user));
    }

    /// Only these of what plans may have.
    pub fn set_abilities(&self, abilities: &[&'static str]) {
        self.shared.update(|state| state.directory.abilities = abilities.to_vec());
    }

    /// One more receiver, of some events.
    pub fn subscribe_to(&self, receiver_url: &str, scope: Scope) -> String {
        self.shared.update(|state| state.subscribe(receiver_url, Some(scope)))
    }

    /// Somebody edits a subscription's events.
    pub fn set_events(&self, subscription: &str, events: &[&str]) {
        self.shared.update(|state| {
            if let Some(found) = state.subscription_mut(subscription) {
                found.events = events.iter().map(|event| (*event).to_owned()).collect();
            }
        });
    }

    /// Somebody switches a subscription off.
    pub fn switch_off(&self, subscription: &str) {
        self.shared.update(|state| {
            if let Some(found) = state.subscription_mut(subscription) {
                found.active = false;
            }
        });
    }

    /// PagerDuty stops using a subscription, as after three drops in a row.
    pub fn disable(&self, subscription: &str) {
        let now = self.shared.clock.now();
        self.shared.update(|state| {
            if let Some(found) = state.subscription_mut(subscription) {
                found.disable(now);
            }
        });
    }

    /// Somebody deletes a subscription.
    pub fn unsubscribe(&self, subscription: &str) {
        self.shared.update(|state| state.subscriptions.retain(|one| one.id != subscription));
    }
}
