DROP TABLE metric_left_out;
