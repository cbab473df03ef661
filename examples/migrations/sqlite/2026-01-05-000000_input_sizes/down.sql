DROP TABLE input_sizes;
