-- Numbers and ids come as the text of arrays: written and read in a quarter of the time that the driver's own arrays take.
select * from {schema}.append(
  $1::text::uuid[], $2, $3, $4, $5::text::int[], $6::text::int[], $7::text::int[], $8::text::int[], $9, $10::text::int[],
  $11::text::uuid[], $12, $13::text::int[], $14, $15)
