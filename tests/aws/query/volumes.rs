//! EBS volumes, and how they grow: the user guide's pages "Request Amazon EBS volume modifications"
//! and "Monitor the progress".

use super::{Call, Change, Stage, Thing, around, field, listed};
use crate::aws::accounts::Account;
use crate::aws::refusal::Why;
use crate::aws::world::Pace;

pub(super) struct State {
    /// In GiB.
    size: Change<u64>,
    instance: Option<String>,
}

/// A volume of an account.
#[derive(Clone, Debug)]
pub(crate) struct Volume(Thing);

impl Account {
    /// A volume of so many GiB.
    pub(crate) fn volume(&self, region: &str, id: &str, size: u64) -> Volume {
        let volume = Volume(self.thing(region, id));
        let state = State { size: Change::none(size), instance: None };
        volume.0.estate(|estate, _| estate.volumes.insert(id.to_owned(), state));
        volume
    }
}

impl Volume {
    pub(crate) fn attached_to(&self, instance: &str) -> &Self {
        self.0.estate(|estate, _| {
            if let Some(state) = estate.volumes.get_mut(&self.0.id) {
                state.instance = Some(instance.to_owned());
            }
        });
        self
    }

    /// In GiB, as its host sees it.
    pub(crate) fn size(&self) -> u64 {
        self.0.estate(|estate, pace| {
            estate.volumes.get(&self.0.id).map_or(0, |state| *state.size.now(pace))
        })
    }
}

pub(super) fn answer(call: &Call<'_>, action: &str) -> Option<Result<String, Why>> {
    let pace = call.pace();
    Some(match action {
        "DescribeVolumes" => described(call, |id, state| Some(volume(call, id, state, pace)))
            .map(|all| listed("volumeSet", "item", all)),
        "DescribeVolumesModifications" => described(call, |id, state| {
            // Those that were never changed are not told.
            (state.size.from != state.size.to)
                .then(|| modification(id, state, state.size.stage(pace)))
        })
        .map(|all| listed("volumeModificationSet", "item", all)),
        "ModifyVolume" => modified(call, pace),
        _ => return None,
    })
}

fn described(
    call: &Call<'_>,
    told: impl Fn(&str, &State) -> Option<String>,
) -> Result<Vec<String>, Why> {
    let entries = call.form.entries("VolumeId");
    let ids: Vec<&str> = entries.iter().map(|entry| call.text(entry)).collect();
    call.estate(|estate| {
        if let Some(id) = ids.iter().find(|id| !estate.volumes.contains_key(**id)) {
            return Err(missing(id));
        }
        let wanted = |id: &str| ids.is_empty() || ids.contains(&id);
        let all = estate.volumes.iter().filter(|(id, _)| wanted(id));
        Ok(all.filter_map(|(id, state)| told(id, state)).collect())
    })
}

fn missing(id: &str) -> Why {
    Why::stated("InvalidVolume.NotFound", format!("The volume '{id}' does not exist."))
}

fn volume(call: &Call<'_>, id: &str, state: &State, pace: Pace) -> String {
    let attachment = state.instance.as_ref().map(|instance| {
        let ids = field("volumeId", &id) + &field("instanceId", &instance);
        ids + &field("device", "/dev/sda1") + &field("status", "attached")
    });
    let status = if attachment.is_some() { "in-use" } else { "available" };
    [
        field("volumeId", &id),
        field("size", &state.size.now(pace)),
        field("availabilityZone", &format!("{}a", call.caller.region)),
        field("status", &status),
        field("volumeType", "gp3"),
        listed("attachmentSet", "item", attachment),
    ]
    .concat()
}

fn modification(id: &str, state: &State, stage: Stage) -> String {
    let (word, progress) = match stage {
        Stage::Under => ("modifying", 0),
        Stage::Settling => ("optimizing", 50),
        Stage::Over => ("completed", 100),
    };
    [
        field("volumeId", &id),
        field("modificationState", &word),
        field("originalSize", &state.size.from),
        field("targetSize", &state.size.to),
        field("progress", &progress),
    ]
    .concat()
}

fn modified(call: &Call<'_>, pace: Pace) -> Result<String, Why> {
    let (id, size) = (call.text("VolumeId"), call.number("Size")?);
    call.estate(|estate| {
        let state = estate.volumes.get_mut(id).ok_or_else(|| missing(id))?;
        if state.size.stage(pace) != Stage::Over {
            let message = format!("Volume {id} has a modification that is not yet completed");
            return Err(Why::stated("IncorrectModificationState", message));
        }
        let old = *state.size.now(pace);
        if size < old {
            let message = format!("New size cannot be smaller than existing size ({old})");
            return Err(Why::stated("InvalidParameterValue", message));
        }
        state.size = Change::new(old, size, pace);
        // A change that takes no time is told as begun all the same.
        let told = modification(id, state, Stage::Under);
        Ok(around("volumeModification", &told))
    })
}
