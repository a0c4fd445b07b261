-- Whether what is in the schema belongs to its owner, and its readers have their rights: a dump may be restored without both.
select has_schema_privilege('caudal_reader', '{schema}'::regnamespace, 'usage')
  and not exists (
    select from pg_class where relnamespace = '{schema}'::regnamespace and relowner <> 'caudal_owner'::regrole
  )
