-- The logins of the local stack, with new passwords: one for each process, and one that owns the database and migrates it.
-- None is a superuser, and none may run programs or read files on the server.
set scram_iterations = 1; -- a password of 256 random bits cannot be guessed, and connecting stays cheap

do $$
declare
  name text;
  login record;
begin
  foreach name in array array['caudal_owner', 'caudal_writer', 'caudal_projector', 'caudal_reader'] loop
    if not exists (select from pg_roles where rolname = name) then
      execute format('create role %I nologin', name);
    end if;
  end loop;
  for login in select * from json_to_recordset('{logins}') as login (name text, roles text[], password text) loop
    if not exists (select from pg_roles where rolname = login.name) then
      execute format('create role %I', login.name);
    end if;
    execute format('alter role %I login password %L', login.name, login.password);
    foreach name in array login.roles loop
      execute format('grant %I to %I', name, login.name);
    end loop;
  end loop;
  alter role admin createdb;
  alter database caudal owner to admin;
end $$;
