select asked.subject
from unnest($1::text[]) as asked (subject) left join {schema}.subject_keys as kept using (subject)
where kept.erased_at is null
