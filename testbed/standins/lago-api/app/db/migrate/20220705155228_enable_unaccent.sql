-- Without IF NOT EXISTS, as in the real one: it fails where the extension is already there.
CREATE EXTENSION "unaccent";
