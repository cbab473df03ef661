//! Classifies every expected pair source x KPI by the first missing link of its evidence chain.
