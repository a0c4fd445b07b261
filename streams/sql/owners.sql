-- Gives what is in a schema to its owner again: a dump that was restored without owners belongs to the user who restored it.
do $$
declare
  thing text;
begin
  if exists (select from pg_namespace where oid = to_regnamespace('{schema}') and nspowner <> 'caudal_owner'::regrole) then
    execute 'alter schema {schema} owner to caudal_owner';
  end if;
  for thing in
    select format('table %s', oid::regclass) from pg_class
    where relnamespace = to_regnamespace('{schema}') and relkind in ('r', 'p') and relowner <> 'caudal_owner'::regrole
    union all
    select format('function %s', oid::regprocedure) from pg_proc
    where pronamespace = to_regnamespace('{schema}') and proowner <> 'caudal_owner'::regrole
  loop
    execute format('alter %s owner to caudal_owner', thing);
  end loop;
end $$;
