DROP TABLE {ns}queue_index_hub;
DROP TABLE {ns}queue_index_holder;
DROP TABLE {ns}queue_index_person;
DROP TABLE {ns}queue_index;
