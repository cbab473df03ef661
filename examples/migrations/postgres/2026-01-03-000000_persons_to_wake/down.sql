DROP TABLE wake_secret;
DROP TABLE persons_to_wake;
