//! How a request edits the rate limit of one owner.

use super::{Edit, Limits, LimitsInput};
use crate::duration::ResetDuration;
use crate::invalid::{Invalid, Pointer};
use crate::patch::Patch;
use crate::rate_limit::{RateLimit, RateLimitInput, check_ends, check_positive};

impl Limits {
    pub(super) fn edited_rate_limit(
        &self,
        input: &LimitsInput<'_>,
        edit: &mut Edit<'_>,
    ) -> Result<Option<RateLimit>, Invalid> {
        let existing = self.rate_limit.as_ref();
        let change = match input.rate_limit {
            Patch::Absent => return Ok(existing.map(|limit| following(limit, input, edit))),
            Patch::Null => return Ok(None),
            Patch::Value(change) if *change == RateLimitInput::default() => return Ok(None),
            Patch::Value(change) => change,
        };
        let mut edited = existing.cloned().unwrap_or_else(|| RateLimit {
            id: (edit.mint)().into(),
            token_max_limit: None,
            token_reset_duration: None,
            token_current_usage: 0,
            token_last_reset: edit.now,
            request_max_limit: None,
            request_reset_duration: None,
            request_current_usage: 0,
            request_last_reset: edit.now,
            calendar_aligned: false,
            enforcement: None,
            output_clamp: None,
            config_hash: String::new(),
            created_at: edit.now,
            updated_at: edit.now,
        });
        edited.token_max_limit = change.token_max_limit.clone().or_keep(edited.token_max_limit);
        edited.token_reset_duration = change.token_reset_duration.clone().or_keep(edited.token_reset_duration);
        edited.request_max_limit = change.request_max_limit.clone().or_keep(edited.request_max_limit);
        edited.request_reset_duration = change.request_reset_duration.clone().or_keep(edited.request_reset_duration);
        edited.enforcement = change.enforcement.clone().or_keep(edited.enforcement);
        edited.output_clamp = change.output_clamp.clone().or_keep(edited.output_clamp);
        let at = input.at.member("rate_limit");
        check_cap("token", edited.token_max_limit, edited.token_reset_duration.as_ref(), &at)?;
        check_cap("request", edited.request_max_limit, edited.request_reset_duration.as_ref(), &at)?;
        if change.calendar_aligned == Some(true) && !edited.can_be_aligned() {
            let message = "calendar_aligned needs a reset duration in d, w, M, Q or Y";
            return Err(Invalid::at(at.member("calendar_aligned"), message));
        }
        edited.align(input.alignment.of_limit(change.calendar_aligned, existing.map(|limit| limit.calendar_aligned)));
        if existing != Some(&edited) {
            edited.updated_at = edit.now;
        }
        Ok(Some(edited))
    }
}

/// A rate limit that the request does not mention: it follows its owner's calendar setting.
fn following(limit: &RateLimit, input: &LimitsInput<'_>, edit: &Edit<'_>) -> RateLimit {
    let mut followed = limit.clone();
    followed.align(input.alignment.asked.unwrap_or(limit.calendar_aligned));
    if followed != *limit {
        followed.updated_at = edit.now;
    }
    followed
}

fn check_cap(metric: &str, cap: Option<i64>, duration: Option<&ResetDuration>, at: &Pointer) -> Result<(), Invalid> {
    let duration_at = at.member(&format!("{metric}_reset_duration"));
    if let Some(duration) = duration {
        check_ends(duration, &duration_at)?;
    }
    let Some(cap) = cap else { return Ok(()) };
    check_positive(metric, cap, at.member(&format!("{metric}_max_limit")))?;
    match duration {
        Some(_) => Ok(()),
        None => Err(Invalid::at(duration_at, format!("rate limit {metric} reset duration is required"))),
    }
}
