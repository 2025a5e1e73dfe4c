//! What a monitor follows from look to look.

use std::collections::HashMap;
use std::panic::Location;

use super::super::flowing::Flow;
use super::super::look::{Look, Seen, Sites};
use super::super::site::SiteTrack;
use super::super::state::FlowState;
use super::super::track::Track;

/// So many channels, and so many spawn sites, are followed by a monitor at a time.
const MOST: usize = 4096;

#[derive(Default)]
pub(super) struct Followed {
    /// By number.
    channels: HashMap<usize, Track>,
    sites: HashMap<&'static Location<'static>, SiteTrack>,
    /// When the last look was.
    at: Option<u64>,
}

/// What changed: how it stood before, and what was measured.
type Changes = Vec<(FlowState, Flow)>;

impl Followed {
    /// One more look, of a window of so many nanoseconds.
    pub(super) fn add(&mut self, look: Look, window: u64) -> Changes {
        let mut changes = Changes::new();
        self.channels(look.at, look.channels, window, &mut changes);
        self.sites(look.at, look.sites, window, &mut changes);
        self.at = Some(look.at);
        changes
    }

    fn channels(&mut self, at: u64, seen: Vec<Seen>, window: u64, changes: &mut Changes) {
        let mut before = std::mem::take(&mut self.channels);
        for seen in seen {
            let track = match before.remove(&seen.id) {
                Some(track) => Some(track),
                None if self.channels.len() < MOST => Some(Track::new(&seen)),
                None => None,
            };
            let Some(mut track) = track else { continue };
            let state = track.state;
            if track.add(at, &seen, window) {
                changes.extend(track.report().map(|flow| (state, Flow::Channel(flow))));
            }
            self.channels.insert(seen.id, track);
        }
    }

    fn sites(&mut self, at: u64, mut seen: Sites, window: u64, changes: &mut Changes) {
        // Where nobody is left, that is what was seen.
        for site in self.sites.keys() {
            seen.entry(site).or_default();
        }
        for (site, seen) in seen {
            if self.sites.len() >= MOST && !self.sites.contains_key(site) {
                continue;
            }
            let track = self.sites.entry(site);
            let track = track.or_insert_with(|| SiteTrack::new(site, self.at));
            let state = track.state;
            if track.add(at, seen, window) {
                changes.extend(track.report().map(|flow| (state, Flow::Site(flow))));
            }
        }
        self.sites.retain(|_, track| !track.is_over());
    }

    /// Channels by number, then spawn sites by line.
    pub(super) fn report(&self) -> Vec<Flow> {
        let mut channels: Vec<_> = self.channels.values().filter_map(Track::report).collect();
        channels.sort_by_key(|flow| flow.channel);
        let mut sites: Vec<_> = self.sites.values().filter_map(SiteTrack::report).collect();
        sites.sort_by_key(|flow| flow.spawned_at);
        let channels = channels.into_iter().map(Flow::Channel);
        channels.chain(sites.into_iter().map(Flow::Site)).collect()
    }
}
