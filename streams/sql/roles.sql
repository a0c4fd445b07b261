-- The roles of Caudal's processes, and the role that owns everything and runs the functions that they may call.
-- The user that migrates may act in all of them; no other user may act as the owner.
do $$
declare
  name text;
begin
  foreach name in array array['caudal_owner', 'caudal_writer', 'caudal_projector', 'caudal_reader'] loop
    -- Roles belong to the whole cluster: another database may be migrated at the same time.
    begin
      if not exists (select from pg_roles where rolname = name) then
        execute format('create role %I nologin', name);
      end if;
    exception when duplicate_object or unique_violation then
    end;
    if not pg_has_role(current_user, name, 'set') then
      execute format('grant %I to current_user', name);
    end if;
  end loop;
  if not has_database_privilege('caudal_owner', current_database(), 'create') then
    execute format('grant create on database %I to caudal_owner', current_database());
  end if;
end $$;
