DROP TABLE claims;
DROP TABLE persons;
DROP TABLE leads;
