"""What a record is worth: re-run, verified, compared, packed."""
