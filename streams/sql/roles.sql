-- The roles that Caudal's processes act in; the role that migrates owns everything and is none of them.
do $$
declare
  name text;
begin
  foreach name in array array['caudal_writer', 'caudal_projector', 'caudal_reader'] loop
    if not exists (select from pg_roles where rolname = name) then
      execute format('create role %I nologin', name);
    end if;
    if not pg_has_role(current_user, name, 'set') then
      execute format('grant %I to current_user', name);
    end if;
  end loop;
end $$;
