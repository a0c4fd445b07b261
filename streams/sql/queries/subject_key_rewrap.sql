update {schema}.subject_keys set wrapped = $3, master = $4 where subject = $1 and wrapped = $2
