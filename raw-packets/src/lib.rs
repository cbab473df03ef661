//! Turns data gaps into one fillable CSV per source, checks what comes back and loads it in a strict cycle.
