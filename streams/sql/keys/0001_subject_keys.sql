-- One key for each data subject, wrapped by a master key that the database does not hold. The row of an erased subject stays,
-- without a key, so that the subject never gets another one.
create table {schema}.subject_keys (
  subject text collate "C" primary key,
  wrapped bytea,                      -- null: erased
  master text,                        -- name of the master key that wraps it
  made_at timestamptz not null default clock_timestamp(),
  erased_at timestamptz,
  check ((wrapped is null) = (erased_at is not null) and (wrapped is null) = (master is null))
);
