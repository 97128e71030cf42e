"""What every endpoint shares: the error shape, parsing, paging, idempotency, the schema."""
