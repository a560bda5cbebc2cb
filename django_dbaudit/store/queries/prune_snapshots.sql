DELETE FROM django_dbaudit_snapshot WHERE database_id = %(database)s AND day < %(before)s::date
