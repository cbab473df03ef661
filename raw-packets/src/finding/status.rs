//! How far a returned packet is.

use std::fmt;

use serde::Serialize;

/// The status of a returned packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PacketStatus {
    /// The packet did not come back.
    MissingPacketFile,
    /// Columns are missing, renamed or doubled, or there is no table at all.
    InvalidHeaders,
    /// There is more than the one row that was issued.
    MultipleRows,
    /// Nothing was filled in.
    EmptyPacket,
    /// At least one cell is wrong.
    InvalidRow,
    /// The packet can be loaded.
    Ready,
}

impl PacketStatus {
    /// Every status, in the order of the fix queue.
    pub const ALL: [Self; 6] = [
        Self::MissingPacketFile,
        Self::InvalidHeaders,
        Self::MultipleRows,
        Self::EmptyPacket,
        Self::InvalidRow,
        Self::Ready,
    ];

    /// Returns the name that reports use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MissingPacketFile => "missing_packet_file",
            Self::InvalidHeaders => "invalid_headers",
            Self::MultipleRows => "multiple_rows",
            Self::EmptyPacket => "empty_packet",
            Self::InvalidRow => "invalid_row",
            Self::Ready => "ready",
        }
    }

    /// Returns the packet's priority in the fix queue; 0 for a ready one, which is not in it.
    #[must_use]
    pub const fn priority(self) -> u8 {
        match self {
            Self::MissingPacketFile => 100,
            Self::InvalidHeaders => 90,
            Self::MultipleRows => 85,
            Self::EmptyPacket => 80,
            Self::InvalidRow => 70,
            Self::Ready => 0,
        }
    }
}

impl PacketStatus {
    /// Returns the status that comes first in the fix queue.
    pub(crate) fn worse(self, other: Self) -> Self {
        if other.priority() > self.priority() { other } else { self }
    }
}

impl fmt::Display for PacketStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
