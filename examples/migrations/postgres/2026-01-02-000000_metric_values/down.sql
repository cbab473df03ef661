DROP TABLE metric_history;
DROP TABLE metric_values;
