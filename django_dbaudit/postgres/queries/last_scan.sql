-- When the relation c was last scanned: nobody knows.
NULL::timestamptz
