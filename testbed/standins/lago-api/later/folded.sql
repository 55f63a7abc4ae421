-- refuse 20250120151959 You are migrating from an old LAGO version, please follow the migration guide (https://getlago.com/docs/guide/migration/migration-to-v1.29.0) before proceeding.
-- A database that is older still has not that version either: it fails at the first type that it has already.
DO $$ BEGIN
  IF to_regclass('organizations') IS NOT NULL THEN
    RAISE duplicate_object USING MESSAGE = 'type "billable_metric_rounding_function" already exists';
  END IF;
END $$;
