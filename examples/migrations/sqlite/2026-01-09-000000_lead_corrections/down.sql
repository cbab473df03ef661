DROP TABLE lead_corrections;
