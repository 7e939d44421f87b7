//! Operations on teams.

use keyward_core::ids::TeamId;
use keyward_core::list::{Done, TeamChanged, TeamDetail, TeamList};
use keyward_core::owner::{CreateTeam, Team, TeamQuery, UpdateTeam};

use crate::client::Client;
use crate::error::Error;

const TEAMS: [&str; 3] = ["api", "governance", "teams"];

fn one(id: &TeamId) -> [&str; 4] {
    let [api, governance, teams] = TEAMS;
    [api, governance, teams, id.as_str()]
}

impl Client {
    /// Makes a team.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn team_create(&self, request: &CreateTeam) -> Result<TeamChanged, Error> {
        self.create("team_create", &TEAMS, request).await
    }

    /// Lists teams.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn team_list(&self, query: &TeamQuery) -> Result<TeamList, Error> {
        self.list("team_list", &TEAMS, query).await
    }

    /// Reads a team.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn team_get(&self, id: &TeamId) -> Result<Team, Error> {
        self.get("team_get", &one(id)).await.map(|detail: TeamDetail| detail.team)
    }

    /// Edits a team: what is absent stays.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn team_update(&self, id: &TeamId, request: &UpdateTeam) -> Result<TeamChanged, Error> {
        self.put("team_update", &one(id), request).await
    }

    /// Deletes a team.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn team_delete(&self, id: &TeamId) -> Result<Done, Error> {
        self.delete("team_delete", &one(id)).await
    }
}
