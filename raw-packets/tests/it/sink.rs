use raw_packets::InMemorySink;
use raw_packets::testing::metric_sink_conformance;

#[test]
fn the_in_memory_sink_keeps_every_law_of_a_sink() {
    metric_sink_conformance(InMemorySink::new);
}
