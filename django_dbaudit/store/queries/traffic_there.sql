-- Which of these rows are there, and how many the day has: a row at least, so that it can say so.
SELECT t.id, d.taken
FROM (SELECT count(*) AS taken FROM {table} WHERE day = %(day)s::date) AS d
LEFT JOIN {table} AS t ON t.id = ANY (%(ids)s::uuid[])
