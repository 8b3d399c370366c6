//! Between Raft's own types and what travels: numbers, lists and bytes.

use crate::mesh::{AppendAnswer, AppendEntries, VoteAnswer, VoteAsk, WireEntry, WireId, WireVote};
use crate::types::{Entry, LogId, TypeConfig, Vote, log_id, term};
use crate::wal;
use openraft::raft::{AppendEntriesRequest, AppendEntriesResponse, VoteRequest, VoteResponse};
use std::io;

pub(crate) fn id_out(id: &LogId) -> WireId {
    (term(id), id.index)
}

pub(crate) fn id_in(id: WireId) -> LogId {
    log_id(id.0, id.1)
}

pub(crate) fn vote_out(vote: &Vote) -> WireVote {
    (vote.leader_id.term, vote.leader_id.voted_for, vote.committed)
}

pub(crate) fn vote_in((term, node, committed): WireVote) -> Vote {
    if committed {
        Vote::new_committed(term, node)
    } else {
        Vote::new(term, node)
    }
}

pub(crate) fn append_out(request: &AppendEntriesRequest<TypeConfig>) -> io::Result<AppendEntries> {
    let entries = request.entries.iter().map(|entry| {
        let (kind, body) = wal::entry_to_wire(entry)?;
        Ok(WireEntry {
            id: id_out(&entry.log_id),
            kind,
            body,
        })
    });
    Ok(AppendEntries {
        vote: vote_out(&request.vote),
        prev: request.prev_log_id.as_ref().map(id_out),
        entries: entries.collect::<io::Result<_>>()?,
        commit: request.leader_commit.as_ref().map(id_out),
    })
}

pub(crate) fn append_in(append: AppendEntries) -> io::Result<AppendEntriesRequest<TypeConfig>> {
    let entries = append.entries.into_iter().map(|entry| -> io::Result<Entry> {
        wal::entry_from_wire(entry.id, entry.kind, entry.body).map_err(io::Error::other)
    });
    Ok(AppendEntriesRequest {
        vote: vote_in(append.vote),
        prev_log_id: append.prev.map(id_in),
        entries: entries.collect::<io::Result<_>>()?,
        leader_commit: append.commit.map(id_in),
    })
}

pub(crate) fn appended_out(answer: &AppendEntriesResponse<TypeConfig>) -> AppendAnswer {
    match answer {
        AppendEntriesResponse::Success => AppendAnswer::Success,
        AppendEntriesResponse::PartialSuccess(id) => AppendAnswer::Partial(id.as_ref().map(id_out)),
        AppendEntriesResponse::Conflict => AppendAnswer::Conflict,
        AppendEntriesResponse::HigherVote(vote) => AppendAnswer::HigherVote(vote_out(vote)),
    }
}

pub(crate) fn appended_in(answer: AppendAnswer) -> AppendEntriesResponse<TypeConfig> {
    match answer {
        AppendAnswer::Success => AppendEntriesResponse::Success,
        AppendAnswer::Partial(id) => AppendEntriesResponse::PartialSuccess(id.map(id_in)),
        AppendAnswer::Conflict => AppendEntriesResponse::Conflict,
        AppendAnswer::HigherVote(vote) => AppendEntriesResponse::HigherVote(vote_in(vote)),
    }
}

pub(crate) fn ask_vote(request: &VoteRequest<TypeConfig>, pre: bool) -> VoteAsk {
    VoteAsk {
        vote: vote_out(&request.vote),
        last: request.last_log_id.as_ref().map(id_out),
        transfer: request.leadership_transfer,
        pre,
    }
}

pub(crate) fn vote_request(ask: &VoteAsk) -> VoteRequest<TypeConfig> {
    VoteRequest {
        vote: vote_in(ask.vote),
        last_log_id: ask.last.map(id_in),
        leadership_transfer: ask.transfer,
    }
}

pub(crate) fn voted_out(answer: &VoteResponse<TypeConfig>) -> VoteAnswer {
    VoteAnswer {
        vote: vote_out(&answer.vote),
        granted: answer.vote_granted,
        last: answer.last_log_id.as_ref().map(id_out),
    }
}

pub(crate) fn voted_in(answer: VoteAnswer) -> VoteResponse<TypeConfig> {
    VoteResponse::new(vote_in(answer.vote), answer.last.map(id_in), answer.granted)
}
