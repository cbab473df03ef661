DROP TABLE runner_state;
