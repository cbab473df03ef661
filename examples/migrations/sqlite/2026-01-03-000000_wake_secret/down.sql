DROP TABLE wake_secret;
DROP TABLE IF EXISTS persons_to_wake;
