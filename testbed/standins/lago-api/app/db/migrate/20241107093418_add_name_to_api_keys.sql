ALTER TABLE api_keys ADD COLUMN name character varying;
